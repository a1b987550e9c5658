import { describeTagRaces } from '../backends/tag-race.js';

describeTagRaces(10_000);
