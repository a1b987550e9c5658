// Builds dist/ with the configuration in tsdown.config.ts, and prints errors alone.

import { build } from 'tsdown';

await build({ logLevel: 'error' });
