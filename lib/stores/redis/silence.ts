import { type RealTimer, startTimer, stopTimer } from '../../platform/real-time.js';

/** Milliseconds and number of further turns of the event loop before silence counts. */
const TURN = 10;
const TURNS = 2;

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
    return this.#wait(this.#answers, this.#period, TURNS);
  }

  /**
   * A process that was busy for longer than the period runs its timers before it writes commands and reads answers. So the
   * event loop turns a few times more before the server counts as silent.
   */
  #wait(answers: number, milliseconds: number, turns: number): RealTimer {
    return startTimer(milliseconds, () => {
      this.#timer = undefined;
      if (this.#pending === 0) return;
      if (this.#answers !== answers) this.#timer = this.#start();
      else if (turns > 0) this.#timer = this.#wait(answers, TURN, turns - 1);
      else this.#onSilence();
    });
  }
}
