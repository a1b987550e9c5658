import { channel } from 'node:diagnostics_channel';

type Subscriber = (message: unknown, name: string | symbol) => unknown;

/** A channel of `node:diagnostics_channel` whose subscribers cannot end the process. */
export class DiagnosticsChannel {
  readonly #name: string;
  readonly #channel: ReturnType<typeof channel>;
  readonly #deliver: (subscriber: () => unknown) => void;

  /** @param deliver calls a subscriber, and ignores its errors */
  constructor(name: string, deliver: (subscriber: () => unknown) => void) {
    this.#name = name;
    this.#channel = channel(name);
    this.#deliver = deliver;
  }

  get hasSubscribers(): boolean {
    return this.#channel.hasSubscribers;
  }

  publish(message: unknown): void {
    // `publish` of Node turns an error of a subscriber into an uncaught exception.
    const subscribers = (this.#channel as { _subscribers?: unknown })._subscribers;
    if (!Array.isArray(subscribers)) this.#channel.publish(message);
    else
      for (const subscriber of [...(subscribers as Subscriber[])]) this.#deliver(() => subscriber(message, this.#name));
  }
}
