import { DynamoDbStore } from '../../lib/stores/dynamodb/index.js';
import { nameIn } from '../support/names.js';

/** dynalite takes any. */
export const CREDENTIALS = { region: 'eu-central-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };

export function open(folder: string, cacheName: string, endpoint: string): DynamoDbStore {
  return new DynamoDbStore(nameIn(folder, cacheName), { endpoint, ...CREDENTIALS }, Date.now);
}
