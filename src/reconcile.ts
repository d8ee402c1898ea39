import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { DateTime } from 'luxon';
import { type Config, readConfig } from './config/config.js';
import { ConfigError } from './errors/config-error.js';
import { loadEnvironment } from './config/load-environment.js';
import { ReconcileError } from './dialing/reconcile-error.js';

// `npm run reconcile -- TIME` finds the calls that were placed after a backup was made, so that nobody is called twice
// after its restore. See docs/operations.md.
try {
  const since = readTime(process.argv.slice(2));
  loadEnvironment();
  console.log(await reconcile(readConfig(process.env), since));
} catch (error) {
  console.error(error instanceof ReconcileError || error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
}

/** @throws ReconcileError when the argument is not a time in the past with a zone */
function readTime([text = '', ...others]: string[]): Date {
  const time = DateTime.fromISO(text);
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(text);
  if (others.length === 0 && hasZone && time.isValid && time <= DateTime.now()) return time.toJSDate();
  throw new ReconcileError('Say when the backup was made, in the past: npm run reconcile -- 2026-11-25T10:00:00Z');
}

/**
 * Marks the phone calls that may have been placed since `since` as uncertain.
 * @returns a summary for the operator
 */
async function reconcile(config: Config, since: Date): Promise<string> {
  const { provider, baseUrl } = config.platform;
  if (provider === 'simulator' && !baseUrl)
    throw new ReconcileError(
      'The simulator in the box forgets its calls when the program stops: nothing to compare with.',
    );
  // Imported dynamically, because the entities choose their column types from the environment when they are loaded.
  const { ReconcileModule } = await import('./reconcile.module.js');
  const { LostCalls } = await import('./dialing/lost-calls.js');
  const app = await NestFactory.createApplicationContext(ReconcileModule.for(config), {
    logger: ['error', 'warn'],
    abortOnError: false,
  });
  try {
    const { lost, uncertain } = await app.get(LostCalls).markUncertain(since);
    return (
      `The provider lists ${lost} calls since about ${since.toISOString()} that this database does not know. ` +
      `${uncertain} phone calls are uncertain now: they are not dialed, and the workers look up what became of them.`
    );
  } finally {
    await app.close();
  }
}
