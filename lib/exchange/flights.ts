import type { CacheInternals } from '../cache/internals.js';
import { shared } from '../platform/shared-state.js';

/** How long a key is not joined after an answer that only one caller may have (milliseconds). */
const APART_FOR = 10_000;
/** Keys that are kept apart, at most: beyond it the oldest is forgotten. */
const MAX_APART = 1_000;

/** What one who waits wants to know while a flight is on its way. */
export interface Passenger {
  /** Some of the answer came in; `event` is the HTTP client's own. */
  progress(event: unknown): void;
  /** The whole answer is there, and about to be stored. */
  answered(): void;
}

/** Sends the request, and tells all its passengers how it goes. */
export type Departure<T> = (signal: AbortSignal, passengers: Passenger) => Promise<T>;

/** A caller's place in a flight. */
export interface Seat<T> {
  readonly result: Promise<T>;
  /** Whether somebody else's request is shared. */
  readonly joined: boolean;
  /** Must be called when the caller has its answer or gives up; the last to leave ends the origin request. */
  leave(): void;
}

/** One request to the origin, for everyone who waits for its answer. */
class Flight<T> {
  readonly #result: Promise<T>;
  readonly #controller = new AbortController();
  readonly #passengers = new Set<Passenger>();
  #seats = 0;
  #landed = false;

  constructor(depart: Departure<T>, onLanded: () => void) {
    const everyone: Passenger = {
      progress: (event) => {
        for (const passenger of this.#passengers) passenger.progress(event);
      },
      answered: () => {
        for (const passenger of this.#passengers) passenger.answered();
      },
    };
    this.#result = depart(this.#controller.signal, everyone).finally(() => {
      this.#landed = true;
      onLanded();
    });
    // When every caller has left, nobody looks at the result any more.
    this.#result.catch(() => {});
  }

  board(joined: boolean, passenger: Passenger | undefined): Seat<T> {
    this.#seats += 1;
    if (passenger) this.#passengers.add(passenger);
    let seated = true;
    const leave = () => {
      if (!seated) return;
      seated = false;
      this.#seats -= 1;
      if (passenger) this.#passengers.delete(passenger);
      if (this.#seats === 0 && !this.#landed) this.#controller.abort();
    };
    return { result: this.#result, joined, leave };
  }

  /** Everyone has left, and its request was ended. */
  get abandoned(): boolean {
    return this.#controller.signal.aborted;
  }
}

/** The requests of one cache that are on their way to the origin. */
export class Flights<T> {
  readonly #open = new Map<string, Flight<T>>();
  readonly #apart = new Map<string, number>();

  /** A place in the open flight of that name, or in a new one. */
  join(name: string, depart: Departure<T>, passenger?: Passenger): Seat<T> {
    const open = this.#open.get(name);
    if (open && !open.abandoned) return open.board(true, passenger);
    const flight: Flight<T> = new Flight(depart, () => {
      if (this.#open.get(name) === flight) this.#open.delete(name);
    });
    this.#open.set(name, flight);
    return flight.board(false, passenger);
  }

  /** A flight that nobody can join. */
  alone(depart: Departure<T>, passenger?: Passenger): Seat<T> {
    return new Flight(depart, () => {}).board(false, passenger);
  }

  has(name: string): boolean {
    return this.#open.has(name);
  }

  /** Its answers are for one caller each: requests for the key go alone for a while. */
  keepApart(key: string, now: number): void {
    this.#apart.delete(key);
    this.#apart.set(key, now + APART_FOR);
    if (this.#apart.size > MAX_APART) {
      const oldest = this.#apart.keys().next();
      if (!oldest.done) this.#apart.delete(oldest.value);
    }
  }

  isApart(key: string, now: number): boolean {
    if (this.#apart.size === 0) return false;
    const until = this.#apart.get(key);
    if (until === undefined) return false;
    if (until > now) return true;
    this.#apart.delete(key);
    return false;
  }
}

const flightsOfCaches = /* @__PURE__ */ shared('flights', () => new WeakMap<CacheInternals, Flights<unknown>>());

/** The flights of a cache: all instances that share it share them. */
export function flightsOf<T>(cache: CacheInternals): Flights<T> {
  let flights = flightsOfCaches.get(cache);
  if (!flights) {
    flights = new Flights();
    flightsOfCaches.set(cache, flights);
  }
  return flights as Flights<T>;
}
