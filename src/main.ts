import 'reflect-metadata';
import { readConfig } from './config/config.js';
import { ConfigError } from './errors/config-error.js';
import { loadEnvironment } from './config/load-environment.js';
import { StateMachineError } from './state-machine/check-machine.js';

try {
  loadEnvironment();
  const config = readConfig(process.env);
  // Imported dynamically, because the entities choose their column types from the environment when they are loaded.
  const { serve } = await import('./serve.js');
  await serve(config);
} catch (error) {
  const isExplained = error instanceof ConfigError || error instanceof StateMachineError;
  console.error(isExplained ? error.message : error);
  process.exit(1);
}
