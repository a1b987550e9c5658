/** A clock that moves only on demand. */
export class TestClock {
  #time = Date.now();

  readonly now = (): number => this.#time;

  advance(seconds: number): void {
    this.#time += seconds * 1000;
  }
}
