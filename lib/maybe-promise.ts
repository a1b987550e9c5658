/** A value now, or later. What answers at once (a store in memory) spares the request a turn of the event loop. */
export type MaybePromise<T> = T | Promise<T>;

/** Goes on with the value: at once where it is there. */
export function chain<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
