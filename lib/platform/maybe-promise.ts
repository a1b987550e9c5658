/** A value now, or later. A synchronous source (a store in memory) saves the request a turn of the event loop. */
export type MaybePromise<T> = T | Promise<T>;

/** Recognized by its method: promises of another realm, as under Jest, are instances of another class. */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** Continues with the value: at once if it is available. */
export function chain<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return isPromise(value) ? value.then(next) : next(value);
}

/** Runs `work`; its failure, thrown or rejected, goes to `handle` instead of the caller. */
export function recover<T>(work: () => MaybePromise<T>, handle: (error: unknown) => MaybePromise<T>): MaybePromise<T> {
  let result: MaybePromise<T>;
  try {
    result = work();
  } catch (error) {
    return handle(error);
  }
  return isPromise(result) ? result.catch(handle) : result;
}
