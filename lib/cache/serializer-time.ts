import { CacheError } from '../errors.js';
import { monotonicNow, withinTime } from '../platform/real-time.js';
import { MANAGEMENT_TIMEOUT } from '../stores/circuit.js';
import { type CircuitBreaker, MANAGEMENT, type StoreAccess } from '../stores/circuit-breaker.js';

// A serializer is code of the user, which may be slow or never finish. Synchronous serializers need no limit.

/**
 * Waits for the decoding of an entry, within the rest of a request's budget for reads. For management, the codec limits
 * the time of each decoding.
 *
 * @throws CacheError `ERR_CACHE_SERIALIZER` if it takes longer
 */
export function decodingInTime<T>(work: Promise<T>, access: StoreAccess, { timeout }: CircuitBreaker): Promise<T> {
  if (access === MANAGEMENT) return work;
  const began = monotonicNow();
  const left = access.readsLeft ?? timeout;
  return withinTime(work, left, tooSlow).finally(() => {
    access.readsLeft = left - (monotonicNow() - began);
  });
}

/**
 * Waits for the encoding of entries, within the budget of a request's write.
 *
 * @throws CacheError `ERR_CACHE_SERIALIZER` if it takes longer
 */
export function encodingInTime<T>(work: Promise<T>, access: StoreAccess, { timeout }: CircuitBreaker): Promise<T> {
  return withinTime(work, access === MANAGEMENT ? MANAGEMENT_TIMEOUT : timeout, tooSlow);
}

function tooSlow(): CacheError {
  return new CacheError('ERR_CACHE_SERIALIZER', 'the serializer did not finish in time');
}
