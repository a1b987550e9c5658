import { CacheError } from '../../errors.js';
import { type Access, StoreFailure } from '../store-failure.js';

/** Errors of too many requests at a time, for reads too: the next one may succeed. */
const THROTTLED: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
]);
/** Errors that every other command meets too: of credentials, or of a table that does not exist. */
const UNUSABLE: ReadonlySet<string> = new Set([
  'ExpiredTokenException',
  'IncompleteSignatureException',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'ResourceNotFoundException',
  'UnrecognizedClientException',
]);

/** Returns a failure of DynamoDB as one of the three kinds; a mistake of set-up as it is. */
export function classified(error: unknown, access: Access): Error {
  if (error instanceof StoreFailure || error instanceof CacheError) return error;
  const { name = '', $fault } = (error ?? {}) as { name?: string; $fault?: unknown };
  if (THROTTLED.has(name)) return new StoreFailure('refusal', error);
  if (access === 'read' || $fault !== 'client' || UNUSABLE.has(name)) return new StoreFailure('outage', error);
  // If a request of this store is invalid, the cause is the entry in it, such as its size.
  return new StoreFailure(name === 'ValidationException' ? 'entry' : 'refusal', error);
}

/** Returns whether the table does not exist. */
export function isMissingTable(error: unknown): boolean {
  return (error as Error | null)?.name === 'ResourceNotFoundException';
}

/** Returns whether the condition of a write does not hold. */
export function isConditionFailure(error: unknown): boolean {
  return (error as Error | null)?.name === 'ConditionalCheckFailedException';
}

/** Returns whether the update would make an item too large. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof StoreFailure && error.kind === 'entry' && /item size/i.test(error.message);
}

/** Returns whether an attribute has another type than an update needs: another program wrote it. */
export function isWrongType(error: unknown): boolean {
  return error instanceof StoreFailure && error.kind === 'entry' && /incorrect data type/i.test(error.message);
}
