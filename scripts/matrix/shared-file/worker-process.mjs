import { fork } from 'node:child_process';
import { once } from 'node:events';

/** A process that does one task at a time. After it was killed, another one begins the task anew. */
export class WorkerProcess {
  #start;
  #onMessage;
  #isEnded = false;
  /** @type {import('node:child_process').ChildProcess} */
  #child;
  /** @type {{ message: object, resolve: (result: any) => void, reject: (error: Error) => void } | undefined} */
  #task;

  /**
   * @param {string} node the program of Node.js
   * @param {string} file the program to run
   * @param {object} options its argument
   * @param {(message: any) => void} onMessage receives the messages that are no result of a task
   */
  constructor(node, file, options, onMessage) {
    const execArgv = ['--no-warnings', '--unhandled-rejections=strict'];
    const { NODE_OPTIONS: _, ...env } = process.env;
    this.#start = () => fork(file, [JSON.stringify(options)], { execPath: node, execArgv, env });
    this.#onMessage = onMessage;
    this.#child = this.#started();
  }

  #started() {
    const child = this.#start();
    child.on('message', (/** @type {any} */ message) => this.#received(message));
    child.on('exit', (code, signal) => {
      if (child === this.#child) this.#failed(new Error(`a process ended by itself: ${code ?? signal}`));
    });
    return child;
  }

  /** @param {any} message */
  #received(message) {
    if ('result' in message) {
      this.#task?.resolve(message.result);
      this.#task = undefined;
    } else if ('failure' in message) this.#failed(new Error(message.failure));
    else this.#onMessage(message);
  }

  /** @param {Error} error */
  #failed(error) {
    this.#task?.reject(error);
    this.#task = undefined;
  }

  /**
   * @param {string} task
   * @param {object} [options]
   * @returns {Promise<any>}
   */
  run(task, options = {}) {
    const result = new Promise((resolve, reject) => {
      const message = { task, ...options };
      this.#task = { message, resolve, reject };
      this.#child.send(message);
    });
    // Its failure is reported when the caller waits for it.
    result.catch(() => {});
    return result;
  }

  /** Ends a task that has no end by itself. */
  stop() {
    this.#child.send({ stop: true });
  }

  /** Kills the process, and starts another one. */
  async kill() {
    if (this.#isEnded) return;
    const killed = this.#child;
    // Its end is expected from here on.
    this.#child = this.#started();
    killed.removeAllListeners('message');
    killed.kill('SIGKILL');
    if (this.#task) this.#child.send(this.#task.message);
    if (killed.exitCode === null && killed.signalCode === null) await once(killed, 'exit');
  }

  async close() {
    const closed = this.#child;
    const result = this.run('close');
    this.#child = closed;
    await result;
    if (closed.exitCode === null) await once(closed, 'exit');
  }

  /** Kills the process for good. */
  end() {
    this.#isEnded = true;
    this.#child.removeAllListeners();
    this.#child.kill('SIGKILL');
  }
}
