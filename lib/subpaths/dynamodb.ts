import { provideClient } from '../platform/load-client.js';

// Literal names, which bundlers follow; the handler makes a package that is not installed a warning of the build.
provideClient('@keyv/dynamo', () => import('@keyv/dynamo').catch(fail));
provideClient('@aws-sdk/client-dynamodb', () => import('@aws-sdk/client-dynamodb').catch(fail));

export { DynamoDbCache, type DynamoDbCacheOptions } from '../cache/backends/dynamodb-cache.js';

function fail(error: unknown): never {
  throw error;
}
