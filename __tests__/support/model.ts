import type { ServerResponse } from 'node:http';
import type { TestClock } from './clock.js';
import type { Asked } from './origin.js';

/**
 * A reference model of a cache. It knows every answer that the origins gave, and states which of them may answer a request.
 * It does not predict whether a request is a hit.
 */

/** The lifetime of every stored response, in seconds. */
export const LIFETIME = 60;
/** The option `staleWhileRevalidate` of requests that set it, in seconds. */
export const STALE_WHILE_REVALIDATE = 30;

/** The cache groups of the answers of each path, with `cacheControl`. */
const GROUPS: Readonly<Record<string, readonly string[]>> = { '/a': ['g'], '/b': ['g', 'h'] };
/** The field of a write that names the group that its answer invalidates. */
export const INVALIDATED_GROUP = 'x-invalidated-group';

/** A request of a client. */
interface ModelRequest {
  readonly id: number;
  readonly cache: number;
  readonly url: string;
  readonly user: string;
  /** The fields that a Vary may name. */
  readonly fields: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly forceRefresh: boolean;
  readonly oldDataOnError: boolean;
  readonly staleWhileRevalidate: boolean;
  /** Place in the order of events. */
  readonly began: number;
  /** Milliseconds since the epoch. */
  readonly beganAt: number;
  /** Place in the order of events, when the caller had the response, and its refresh in the background ended. */
  finished: number;
  /** Milliseconds since the epoch: that place. */
  finishedAt: number;
  readonly hops: Hop[];
}

/** A request of a redirect chain as an origin received it. */
interface Hop {
  readonly url: string;
  readonly user: string;
  /** Milliseconds since the epoch: when the answer was sent. */
  answeredAt: number;
}

/** An exchange with the origin that gave or confirmed an answer. */
interface Contact {
  readonly request: ModelRequest;
  readonly hops: readonly Hop[];
  /** Place in the order of events, when the origin read its state. */
  readonly arrived: number;
}

/** A body that an origin sent. */
export interface Answer {
  readonly id: number;
  readonly url: string;
  readonly version: number;
  readonly user: string;
  readonly vary: readonly string[];
  readonly fields: Readonly<Record<string, string | undefined>>;
  readonly contacts: Contact[];
}

/** A change of stored bodies by `updateResponse`. */
interface ModelUpdate {
  readonly id: number;
  readonly what: { readonly url: string } | { readonly key: { readonly url: string; readonly user: string } };
  readonly cache: number;
  readonly began: number;
  /** Place in the order of events; never if no response was changed. */
  finished: number;
}

/** An invalidation or a deletion. */
export interface ModelInvalidation {
  readonly what:
    | { readonly url: string }
    /** An option of a write is carried out in the background, and until then responses are stale. */
    | { readonly pattern: string; readonly inBackground: boolean }
    | { readonly tag: string }
    /** RFC 9875: responses of that origin. */
    | { readonly group: string; readonly origin: string }
    | { readonly key: { readonly url: string; readonly user: string } }
    | 'everything';
  readonly cache: number;
  readonly began: number;
  finished: number;
}

const FIELDS = ['accept-language', 'x-flavor'] as const;
const NEVER = Number.POSITIVE_INFINITY;

/** The origins and all that happened in one program. */
export class World {
  readonly requests: ModelRequest[] = [];
  readonly invalidations: ModelInvalidation[] = [];
  readonly updates: ModelUpdate[] = [];
  /** Places in the order of events: responses without credentials have other keys from then on. */
  readonly #recreations: number[] = [];
  /** The targets of redirecting URLs. */
  readonly targets = new Map<string, string>();
  readonly vary = new Map<string, readonly string[]>();
  readonly failing = new Set<string>();
  readonly #clock: TestClock;
  readonly #cacheControl: boolean;
  readonly #answers: Answer[] = [];
  readonly #versions = new Map<string, number>();
  /** Requests that an origin answered with an error. */
  readonly #failures: ModelRequest[] = [];
  readonly #held = new Map<string, Deferred>();
  #arrival = deferred();
  #tick = 0;

  constructor(clock: TestClock, cacheControl: boolean) {
    this.#clock = clock;
    this.#cacheControl = cacheControl;
  }

  /** The next place in the order of events. */
  tick(): number {
    this.#tick += 1;
    return this.#tick;
  }

  begin(request: Omit<ModelRequest, 'id' | 'began' | 'beganAt' | 'finished' | 'finishedAt' | 'hops'>): ModelRequest {
    const began = { began: this.tick(), beganAt: this.#clock.now(), finished: NEVER, finishedAt: NEVER, hops: [] };
    const begun = { ...request, ...began, id: this.requests.length };
    this.requests.push(begun);
    return begun;
  }

  /** Ends a request: its caller has the response, and its refresh in the background ended. */
  end(request: ModelRequest): void {
    request.finished = this.tick();
    request.finishedAt = this.#clock.now();
  }

  invalidate(what: ModelInvalidation['what'], cache: number, began = this.tick()): ModelInvalidation {
    const invalidation = { what, cache, began, finished: NEVER };
    this.invalidations.push(invalidation);
    return invalidation;
  }

  keysRecreated(): void {
    this.#recreations.push(this.tick());
  }

  /** Begins a change of stored bodies, each of which gets its id. */
  update(what: ModelUpdate['what'], cache: number): ModelUpdate {
    const update = { id: this.updates.length, what, cache, began: this.tick(), finished: NEVER };
    this.updates.push(update);
    return update;
  }

  /** Answers of this URL wait from now on. */
  hold(url: string): void {
    if (this.#held.has(url)) return;
    this.#held.set(url, deferred());
  }

  release(): void {
    for (const { resolve } of this.#held.values()) resolve();
    this.#held.clear();
  }

  get isHolding(): boolean {
    return this.#held.size > 0;
  }

  /** Resolves when the next request arrives at an origin and is held. */
  get nextHeld(): Promise<void> {
    return this.#arrival.promise;
  }

  /** Answers a request to an origin. */
  async handle(origin: string, asked: Asked, response: ServerResponse): Promise<void> {
    const url = `${origin}${asked.url}`;
    const request = this.requests[Number(asked.headers['x-request-id'])] as ModelRequest;
    const hop: Hop = { url, user: userOf(asked), answeredAt: this.#clock.now() };
    request.hops.push(hop);
    if (this.failing.has(url)) {
      this.#failures.push(request);
      response.writeHead(500).end();
      return;
    }
    if (asked.method !== 'GET') {
      this.#versions.set(url, this.#versionOf(url) + 1);
      const group = asked.headers[INVALIDATED_GROUP];
      const fields = group === undefined ? {} : { 'cache-group-invalidation': `"${group}"` };
      response.writeHead(200, { ...fields, 'x-arrived': String(this.tick()) }).end();
      return;
    }
    const freshness = this.#cacheControl ? { 'cache-control': `max-age=${LIFETIME}` } : {};
    const location = this.targets.get(url);
    if (location !== undefined) {
      response.writeHead(302, { ...freshness, location }).end();
      return;
    }
    const confirmed = this.#confirmed(url, asked);
    const answer = confirmed ?? this.#newAnswer(url, asked);
    answer.contacts.push({ request, hops: [...request.hops], arrived: this.tick() });
    const held = this.#held.get(url);
    if (held) {
      this.#arrival.resolve();
      this.#arrival = deferred();
      await held.promise;
    }
    hop.answeredAt = this.#clock.now();
    const groups = this.#cacheControl ? groupsOf(url).map((group) => `"${group}"`) : [];
    const cacheGroups = groups.length > 0 ? { 'cache-groups': groups.join(', ') } : {};
    const vary = answer.vary.length > 0 ? { vary: answer.vary.join(', ') } : {};
    response.writeHead(confirmed ? 304 : 200, { ...freshness, ...cacheGroups, ...vary, etag: `"${answer.id}"` });
    const { id, version, user, fields } = answer;
    response.end(confirmed ? undefined : JSON.stringify({ id, url, version, user, ...fields }));
  }

  /** Why a response is wrong for a request; undefined if it is right. */
  faultOf(request: ModelRequest, { status, data }: { readonly status: number; readonly data: unknown }) {
    const hasFailed = this.#failures.some(({ finished }) => finished > request.began);
    if (status === 500) return hasFailed ? undefined : 'an error that no origin sent after the request began';
    const answer = this.#answers[(data as Partial<Answer> | undefined)?.id ?? -1];
    if (status !== 200 || !answer) return `status ${status} and body ${JSON.stringify(data)}`;
    const what = JSON.stringify(data);
    const [first] = answer.contacts;
    if (first?.hops[0]?.user !== request.user) return `the answer of another user: ${what}`;
    const contacts = answer.contacts.filter(({ hops }) => hops.some(({ url }) => url === request.url));
    if (contacts.length === 0) return `the answer of another URL: ${what}`;
    if (answer.vary.some((name) => answer.fields[name] !== request.fields[name])) return `another variant: ${what}`;
    const isFailed = hasFailed && request.oldDataOnError;
    const unchanged = contacts.filter((contact) => !this.#isInvalidated(answer, contact, request));
    if (unchanged.length === 0) return `an answer from before an invalidation: ${what}`;
    const { updates = [] } = data as { readonly updates?: readonly number[] };
    const valid = unchanged.filter((contact) => !this.#lacksUpdate(updates, contact, request));
    if (valid.length === 0) return `an answer without a change of its body: ${what}`;
    const timely = valid.filter((contact) => isFailed || this.#isTimely(contact, request));
    if (timely.length === 0) return `an expired answer: ${what}`;
    if (!request.forceRefresh || isFailed) return undefined;
    const isNew = ({ arrived, request: source }: Contact) =>
      arrived > request.began || (source.forceRefresh && source.finished > request.began);
    return timely.some(isNew) ? undefined : `a stored answer in spite of forceRefresh: ${what}`;
  }

  #isTimely({ request: source, hops }: Contact, request: ModelRequest): boolean {
    // Requests share the answer of one that is in flight.
    if (source.finished > request.began) return true;
    // Without cacheControl the lifetime begins when the cache has the response.
    const starts = this.#cacheControl ? hops.map(({ answeredAt }) => answeredAt) : [source.finishedAt];
    const staleAt = Math.min(...starts) + LIFETIME * 1000;
    const limit = request.staleWhileRevalidate ? STALE_WHILE_REVALIDATE * 1000 : 0;
    // A response may be served stale up to the limit, which counts in.
    return limit > 0 ? request.beganAt <= staleAt + limit : request.beganAt < staleAt;
  }

  #isInvalidated(answer: Answer, contact: Contact, request: ModelRequest): boolean {
    return this.invalidations.some((one) => {
      if (one.finished >= request.began || contact.arrived > one.began) return false;
      if (typeof one.what === 'object' && 'key' in one.what && !this.#hasOneKey(contact, request)) return false;
      return covers(one, answer, contact, request) && reaches(one, contact, request);
    });
  }

  /** Responses with credentials stay under their former keys, where a deletion by key does not reach them. */
  #hasOneKey({ arrived }: Contact, { user, began }: ModelRequest): boolean {
    return user === 'nobody' || !this.#recreations.some((place) => place > arrived && place < began);
  }

  /** Whether a body lacks a change that was made to it before the request. */
  #lacksUpdate(made: readonly number[], contact: Contact, request: ModelRequest): boolean {
    return this.updates.some(({ id, what, cache, began, finished }) => {
      if (finished >= request.began || contact.arrived > began || made.includes(id)) return false;
      if ('key' in what && !this.#hasOneKey(contact, request)) return false;
      const isMeant =
        'url' in what ? what.url === request.url : what.key.url === request.url && what.key.user === request.user;
      // In other processes, a response that was requested before may be stored after.
      const isReached = cache === contact.request.cache && cache === request.cache;
      return isMeant && (isReached || contact.request.finished < began);
    });
  }

  #newAnswer(url: string, { headers }: Asked): Answer {
    const fields = Object.fromEntries(FIELDS.map((name) => [name, headers[name] as string | undefined]));
    const described = { url, version: this.#versionOf(url), user: userOf({ headers }), vary: this.#varyOf(url) };
    const answer = { id: this.#answers.length, ...described, fields, contacts: [] };
    this.#answers.push(answer);
    return answer;
  }

  /** The answer that a condition names, if it is the present one. */
  #confirmed(url: string, asked: Asked): Answer | undefined {
    const validator = asked.headers['if-none-match'];
    const named = validator === undefined ? undefined : this.#answers[Number(validator.replaceAll('"', ''))];
    if (!named || named.url !== url || named.version !== this.#versionOf(url)) return undefined;
    if (named.user !== userOf(asked) || named.vary !== this.#varyOf(url)) return undefined;
    return named.vary.every((name) => named.fields[name] === asked.headers[name]) ? named : undefined;
  }

  #versionOf(url: string): number {
    return this.#versions.get(url) ?? 1;
  }

  #varyOf(url: string): readonly string[] {
    return this.vary.get(url) ?? NO_FIELDS;
  }
}

function groupsOf(url: string): readonly string[] {
  return GROUPS[new URL(url).pathname] ?? [];
}

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function deferred(): Deferred {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const NO_FIELDS: readonly string[] = [];

/** The headers by which users authenticate themselves. */
export const USERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  nobody: {},
  alice: { Authorization: 'Bearer alice' },
  bob: { Authorization: 'Bearer bob' },
  carol: { Cookie: 'sid=carol' },
  dave: { 'X-Tenant-Id': 'dave' },
};

function userOf({ headers }: Pick<Asked, 'headers'>): string {
  const { authorization, cookie, 'x-tenant-id': tenant } = headers;
  return /alice|bob|carol|dave/.exec(`${authorization} ${cookie} ${tenant}`)?.[0] ?? 'nobody';
}

/** Whether an invalidation applies to an answer, as a request would get it. */
function covers(
  { what }: ModelInvalidation,
  { contacts, url: final }: Answer,
  { hops }: Contact,
  request: ModelRequest,
): boolean {
  if (typeof what === 'string') return true;
  if ('tag' in what) return contacts[0]?.request.tags.includes(what.tag) ?? false;
  if ('group' in what) return new URL(final).origin === what.origin && groupsOf(final).includes(what.group);
  if ('key' in what) return what.key.url === request.url && what.key.user === request.user;
  const url = 'url' in what ? what.url : what.pattern;
  return [hops[0]?.url, hops.at(-1)?.url, request.url].includes(url);
}

/**
 * Whether an invalidation reaches responses of another cache on the same store. Patterns reach only those that were stored
 * before, since stores have stamps of URLs, tags and keys alone.
 */
function reaches(
  { what, cache, began }: ModelInvalidation,
  { request: source }: Contact,
  reader: ModelRequest,
): boolean {
  if ((cache === source.cache && cache === reader.cache) || typeof what === 'string') return true;
  return 'pattern' in what ? !what.inBackground && source.finished < began : true;
}
