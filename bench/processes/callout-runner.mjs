import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { handleTask } from './handle-task.mjs';

/**
 * The built program without its own background work. A message of the parent makes it advance callout 1 until no more
 * attempts can be made at once. It then reports how long that took (s).
 */
handleTask(async ({ root, folder, environment }) => {
  process.chdir(folder);
  Object.assign(process.env, environment);
  const load = (path) => import(pathToFileURL(join(root, 'dist/src', path)).href);
  await import('reflect-metadata');
  const { readConfig } = await load('config/config.js');
  const config = readConfig(process.env);
  const { createApp } = await load('app.setup.js');
  const app = await createApp(config);
  const looping = [
    ['callout-runner/callout.handler.js', 'CalloutHandler'],
    ['dialing/dispatcher.js', 'Dispatcher'],
    ['jobs/sweeper.js', 'Sweeper'],
  ];
  for (const [path, name] of looping) app.get((await load(path))[name]).onApplicationBootstrap = () => {};
  const { CalloutRunner } = await load('callout-runner/callout-runner.js');
  const runner = app.get(CalloutRunner);
  await app.listen({ port: 0, host: '127.0.0.1' });
  void advanceAtEachMessage(runner);
  return { url: `http://127.0.0.1:${app.getHttpServer().address().port}` };
});

async function advanceAtEachMessage(runner) {
  for (;;) {
    await once(process, 'message');
    const began = performance.now();
    while (await runner.advance(1));
    process.send((performance.now() - began) / 1_000);
  }
}
