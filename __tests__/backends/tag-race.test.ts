import { describeTagRaces } from './tag-race.js';

describeTagRaces(100);
