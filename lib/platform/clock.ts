/**
 * Returns the time of the machine in milliseconds since the epoch. It reads `Date.now` at each call, so that fake clocks
 * work whenever they are installed.
 */
export function systemNow(): number {
  return Date.now();
}
