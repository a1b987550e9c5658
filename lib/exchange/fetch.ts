import type { ResponseRecord } from '../models/record.js';
import type { Fields } from '../policy/messages.js';
import { missingRange } from '../policy/range.js';
import { isConditional, refusesAddedFields, validators } from '../policy/validation.js';
import { variantOf, varyNames } from '../policy/vary.js';
import { countsInVary } from '../request/cache-key.js';
import { type Call, tell, wait } from './call.js';
import { type Asked, askToConfirm } from './confirm.js';
import { type Departure, flightsOf, type Seat } from './flights.js';
import { invalidate } from './invalidate.js';
import { takeTurn } from './lease.js';
import type { OriginAnswer } from './origin.js';
import { completed } from './parts.js';
import { freshenStored, type Received, receive } from './receive.js';
import { settingsSignature } from './settings-signature.js';

/** What going to the origin brought one caller. */
export interface Fetched {
  readonly received: Received;
  /** The request was this caller's own; otherwise it shares somebody else's. */
  readonly mine: boolean;
  /** Whether this caller may have somebody else's answer. */
  readonly fits: boolean;
}

/** Goes to the origin, together with others who ask the same where that is allowed. */
export async function fetchShared(
  call: Call,
  stored: ResponseRecord | undefined,
  revalidate: boolean,
): Promise<Fetched> {
  const flights = flightsOf<Received>(call.cache);
  const depart = departure(call, stored, revalidate);
  const alone = !mayJoin(call) || flights.isApart(call.key, call.cache.now());
  if (alone) return settle(call, flights.alone(depart, call.patience));
  return settle(call, flights.join(flightName(call, stored, revalidate), depart, call.patience));
}

/**
 * Goes to the origin with a request of its own.
 *
 * @param receiverOf the call that the answer is stored for; the one that asks where nothing else is said
 */
export function fetchAlone(
  call: Call,
  stored: ResponseRecord | undefined,
  revalidate: boolean,
  receiverOf: (answer: OriginAnswer) => Call = () => call,
): Promise<Fetched> {
  const depart = departure(call, stored, revalidate, receiverOf);
  return settle(call, flightsOf<Received>(call.cache).alone(depart, call.patience));
}

/** Refreshes the stored response without anyone waiting for it; one refresh for each entry at a time. */
export function refreshBehind(call: Call, stored: ResponseRecord): void {
  const flights = flightsOf<Received>(call.cache);
  const name = flightName(call, stored, true);
  if (flights.has(name)) return;
  const seat = flights.join(name, departure(call, stored, true));
  const refreshed = seat.result.then(
    ({ revalidated }) => revalidated && tell(call, 'revalidated', 'background'),
    (error) => tell(call, 'error', 'background-refresh', error),
  );
  call.cache.guard.track(refreshed.finally(seat.leave));
}

function mayJoin({ request, settings }: Call): boolean {
  return settings.coalesce && (request.method === 'GET' || request.method === 'HEAD') && !isConditional(request);
}

/** Only requests that would be sent alike, and whose answers would be stored alike, share a flight. */
function flightName(call: Call, stored: ResponseRecord | undefined, revalidate: boolean): string {
  const conditions = revalidate && stored ? JSON.stringify(validators(stored) ?? {}) : '';
  const range = JSON.stringify(call.request.headers.range ?? '');
  return `${call.key} ${settingsSignature(call.settings)} ${call.origin.signature} ${range} ${conditions}`;
}

function departure(
  call: Call,
  stored: ResponseRecord | undefined,
  revalidate: boolean,
  receiverOf: (answer: OriginAnswer) => Call = () => call,
): Departure<Received> {
  return async (signal, passengers) => {
    const turn = await takeTurn(call, signal);
    try {
      if (turn.found) return turn.found;
      const { answer, confirmed } = await ask(call, stored, revalidate, (conditions) =>
        call.origin.send(conditions, signal, passengers),
      );
      passengers.answered();
      await invalidate(call, answer);
      // Awaited here: the turn is released when the answer is stored, and not before.
      return await (confirmed ? freshenStored(call, confirmed, answer) : receive(receiverOf(answer), stored, answer));
    } finally {
      await turn.release();
    }
  };
}

/** What the origin says: to a request of its own, to a question about what is stored, or for what is missing of it. */
async function ask(
  call: Call,
  stored: ResponseRecord | undefined,
  revalidate: boolean,
  send: (conditions: Fields | undefined) => Promise<OriginAnswer>,
): Promise<Asked<OriginAnswer>> {
  if (!stored || revalidate || call.settings.forceRefresh) return askToConfirm(call, stored, revalidate, send);
  const missing = missingRange(call.request, stored);
  const answer = await send(missing);
  if (refusesAddedFields(missing, answer.status)) return { answer: await send(undefined) };
  return {
    answer: missing && answer.status === 206 ? (completed(answer, stored) ?? (await send(undefined))) : answer,
  };
}

async function settle(call: Call, seat: Seat<Received>): Promise<Fetched> {
  try {
    const received = await wait(call, seat.result);
    const fits = !seat.joined || fitsFollower(call, received);
    if (!seat.joined && mayJoin(call) && isPersonal(call, received))
      flightsOf(call.cache).keepApart(call.key, call.cache.now());
    return { received, mine: !seat.joined, fits };
  } catch (error) {
    throw seat.joined ? call.origin.adopt(error) : error;
  } finally {
    seat.leave();
  }
}

/** RFC 9111 section 4: what may not be stored, or sets a cookie, is for the one who asked. */
function isPersonal(call: Call, { answer, record, revalidated }: Received): boolean {
  if (answer.headers['set-cookie'] !== undefined || answer.bodyForm === 'opaque') return true;
  return call.settings.cacheControl && !record && !revalidated;
}

/** Whether somebody else's answer is one for this request too: its Vary may set them apart. */
function fitsFollower(call: Call, received: Received): boolean {
  if (isPersonal(call, received)) return false;
  const names = varyNames(received.answer.headers, countsInVary(call.settings));
  if (names === '*') return false;
  return names.length === 0 || variantOf(names, call.request.headers) === variantOf(names, received.asked);
}
