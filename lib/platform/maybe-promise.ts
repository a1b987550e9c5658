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

/** Runs `work`; a failure, thrown or rejected, goes to `failed` instead of the caller. */
export function attempt<T>(work: () => MaybePromise<T>, failed: (error: unknown) => T): MaybePromise<T> {
  try {
    const value = work();
    return isPromise(value) ? value.catch(failed) : value;
  } catch (error) {
    return failed(error);
  }
}

/** Does some work, and handles its error: one that is thrown at once as well as one of a promise. */
export function recover<T>(work: () => MaybePromise<T>, handle: (error: unknown) => MaybePromise<T>): MaybePromise<T> {
  let result: MaybePromise<T>;
  try {
    result = work();
  } catch (error) {
    return handle(error);
  }
  return isPromise(result) ? result.catch(handle) : result;
}
