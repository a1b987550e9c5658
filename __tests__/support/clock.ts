/** A clock that stands still until it is moved. */
export class TestClock {
  #time = Date.now();

  readonly now = (): number => this.#time;

  advance(seconds: number): void {
    this.#time += seconds * 1000;
  }
}
