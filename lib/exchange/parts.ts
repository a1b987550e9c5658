import type { ResponseRecord } from '../models/record.js';
import { combineParts } from '../policy/range.js';
import type { OriginAnswer } from './origin.js';

/**
 * What is to be stored of an answer: of a part (206) together with what is stored already; undefined where it can't be
 * told which bytes it has.
 */
export function storedForm(answer: OriginAnswer, stored: ResponseRecord | undefined): OriginAnswer | undefined {
  if (answer.status !== 206) return answer;
  const form = combineParts(answer, stored);
  return form?.status === 200 ? { ...form, statusText: 'OK', native: undefined } : form;
}

/** The whole response, where a part brought what was missing of the stored one. */
export function completed(answer: OriginAnswer, stored: ResponseRecord | undefined): OriginAnswer | undefined {
  const form = storedForm(answer, stored);
  return form?.status === 200 ? form : undefined;
}
