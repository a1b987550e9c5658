/** Orders of invalidations are between these: other values in their places are not ours. */
export const LEAST_ORDER = 1e12;
export const GREATEST_ORDER = Number.MAX_SAFE_INTEGER;

/**
 * Returns the order with which a counter begins: above the orders of a counter that was in its place before, so that a response
 * that was requested then does not seem to be newer than an invalidation.
 */
export function firstOrder(): number {
  return Math.max(LEAST_ORDER, Date.now() * 1000);
}
