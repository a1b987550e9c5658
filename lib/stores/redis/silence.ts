import { type RealTimer, startTimer, stopTimer } from '../../platform/real-time.js';

/**
 * Watches commands that overlap: calls `onSilence` if there was no answer for one to two periods. One timer serves all
 * commands, since a timer for each read costs more than the rest of a read. It keeps no process alive.
 */
export class SilenceWatch {
  readonly #period: number;
  readonly #onSilence: () => void;
  #pending = 0;
  #answers = 0;
  #timer: RealTimer | undefined;

  /** @param period milliseconds */
  constructor(period: number, onSilence: () => void) {
    this.#period = period;
    this.#onSilence = onSilence;
  }

  get pending(): number {
    return this.#pending;
  }

  begin(): void {
    this.#pending += 1;
    this.#timer ??= this.#start();
  }

  finish(): void {
    this.#pending -= 1;
    this.#answers += 1;
  }

  stop(): void {
    stopTimer(this.#timer);
    this.#timer = undefined;
  }

  #start(): RealTimer {
    const answers = this.#answers;
    return startTimer(this.#period, () => {
      this.#timer = undefined;
      if (this.#pending === 0) return;
      if (this.#answers === answers) this.#onSilence();
      else this.#timer = this.#start();
    });
  }
}
