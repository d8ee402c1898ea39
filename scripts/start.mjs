import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, install, root } from './prepare.mjs';

// `npm start`: from a fresh clone to a serving program, in this very process, so that its signals and its exit are the program's.
install();
build();
process.chdir(root);
await import(pathToFileURL(join(root, 'dist/src/main.js')).href);
