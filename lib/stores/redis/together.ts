/**
 * Runs sources several at once, and yields their values in rounds: one value of each, so that memory is bounded.
 *
 * @param atOnce the number of sources that run at the same time
 */
export async function* together<T>(sources: readonly (() => AsyncGenerator<T>)[], atOnce: number): AsyncGenerator<T> {
  const [only] = sources;
  if (sources.length === 1 && only) return yield* only();
  const waiting = [...sources];
  let running: AsyncGenerator<T>[] = [];
  try {
    while (running.length > 0 || waiting.length > 0) {
      running.push(...waiting.splice(0, atOnce - running.length).map((source) => source()));
      const steps = await Promise.all(running.map((source) => source.next()));
      running = running.filter((_, index) => !steps[index]?.done);
      yield* steps.flatMap((step) => (step.done ? [] : [step.value]));
    }
  } finally {
    await Promise.all(running.map((source) => source.return(undefined)));
  }
}
