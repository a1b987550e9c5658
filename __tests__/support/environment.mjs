import { setImmediate as turn } from 'node:timers/promises';
import { TestEnvironment } from 'jest-environment-node';

/**
 * Fails a test file in whose run a rejection was not handled or an exception was not caught, also after its last test.
 * Jest by itself would end the process, and run the file again in another one.
 */
export default class StrictEnvironment extends TestEnvironment {
  /** @type {unknown[]} */
  #escaped = [];
  /** @param {unknown} error */
  #note = (error) => void this.#escaped.push(error);

  async setup() {
    await super.setup();
    process.on('unhandledRejection', this.#note);
    process.on('uncaughtException', this.#note);
  }

  async teardown() {
    // Node reports a rejection when its microtasks are done.
    await turn();
    await turn();
    process.off('unhandledRejection', this.#note);
    process.off('uncaughtException', this.#note);
    await super.teardown();
    const [first] = this.#escaped;
    if (this.#escaped.length === 0) return;
    const message = `${this.#escaped.length} rejections or exceptions that nobody handled: ${String(first)}`;
    throw new Error(message, { cause: first });
  }
}
