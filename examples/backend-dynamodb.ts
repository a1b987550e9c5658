// Responses in DynamoDB. The table is made on demand.
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), {
  backend: 'dynamodb',
  cacheName: 'example',
  backendOptions: {
    region: 'eu-central-1',
    // For a local server; without them the AWS SDK finds its own.
    endpoint: process.env.DYNAMODB_URL ?? 'http://localhost:8000',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  },
});
await api.cache.ready();

for (const attempt of [1, 2]) {
  const { fromCache } = await api.get('/slow');
  console.log(attempt, fromCache);
}
await api.cache.clear();
await api.detachCache();
