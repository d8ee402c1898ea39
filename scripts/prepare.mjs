import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Installs and builds a fresh clone, each only when its inputs have changed. Uses only Node's own modules, because no
// package is installed yet.

/** The path of the project's folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Installs the packages of the lock file, unless they are installed. Exits with 1 when npm fails. */
export function install() {
  once('node_modules/.scfm-installed', ['package-lock.json'], () => {
    console.log('Installing packages. The SQLite driver may be compiled, which takes a minute or two.');
    npm('ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error');
  });
}

/** Compiles the sources into `dist/`, if they have changed. Exits with 1 when the build fails. */
export function build() {
  const sources = ['ormconfig.ts', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', 'package-lock.json', 'src'];
  once('dist/.scfm-built', sources, () => {
    console.log('Building.');
    npm('run', '--silent', 'build');
  });
}

/** Does `work`, unless the stamp file shows that it was done for the same inputs and the same Node version. */
function once(stamp, inputs, work) {
  const file = join(root, stamp);
  const fingerprint = `${process.version} ${fingerprintOf(inputs)}`;
  if (existsSync(file) && readFileSync(file, 'utf8') === fingerprint) return;
  work();
  writeFileSync(file, fingerprint);
}

function fingerprintOf(inputs) {
  const hash = createHash('sha256');
  const add = (path) => hash.update(path).update(readFileSync(join(root, path)));
  for (const input of inputs) {
    if (input.includes('.')) add(input);
    else
      for (const path of readdirSync(join(root, input), { recursive: true }).sort()) {
        if (/\.(ts|json)$/.test(path)) add(join(input, path));
      }
  }
  return hash.digest('hex');
}

function npm(...args) {
  try {
    execFileSync('npm', args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  } catch {
    console.error(`npm ${args.join(' ')} failed. See its output above.`);
    process.exit(1);
  }
}
