import { isPromise, type MaybePromise } from '../platform/maybe-promise.js';
import { monotonicNow } from '../platform/real-time.js';

/** Milliseconds that a request waited for the store. */
export interface StoreTime {
  reads: number;
  writes: number;
}

/** Adds the time of the work to that which the request waited for the store. */
export function measured<T>(waited: StoreTime, kind: keyof StoreTime, work: () => MaybePromise<T>): MaybePromise<T> {
  const began = monotonicNow();
  const end = () => {
    waited[kind] += monotonicNow() - began;
  };
  const result = work();
  if (isPromise(result)) return result.finally(end);
  end();
  return result;
}
