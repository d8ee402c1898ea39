import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, install, root } from './prepare.mjs';

// `npm start`: installs, builds, and runs the program in this process, so that signals and exit codes pass through.
install();
build();
process.chdir(root);
await import(pathToFileURL(join(root, 'dist/src/main.js')).href);
