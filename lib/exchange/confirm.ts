import type { ResponseRecord } from '../models/record.js';
import type { Fields, ResponseMessage } from '../policy/messages.js';
import { conditionsFor, isConditional, refusesAddedFields, validates } from '../policy/validation.js';
import type { Call } from './call.js';

/** What came of asking the origin, and the stored response where that is what it confirmed. */
export interface Asked<Answer extends ResponseMessage> {
  readonly answer: Answer;
  readonly confirmed?: ResponseRecord;
}

/** Sends a request, with the question whether what is stored still holds where that is wanted. */
export async function askToConfirm<Answer extends ResponseMessage>(
  { request }: Call,
  stored: ResponseRecord | undefined,
  revalidate: boolean,
  send: (conditions: Fields | undefined) => Promise<Answer>,
): Promise<Asked<Answer>> {
  const conditions = revalidate && stored ? conditionsFor(request, stored) : undefined;
  const answer = await send(conditions);
  if (refusesAddedFields(conditions, answer.status)) return { answer: await send(undefined) };
  if (!stored || !conditions || answer.status !== 304) return { answer };
  if (validates(request, stored, answer)) return { answer, confirmed: stored };
  // RFC 9111 section 4.3.4: a 304 for another representation says nothing about the stored one.
  return { answer: isConditional(request) ? answer : await send(undefined) };
}
