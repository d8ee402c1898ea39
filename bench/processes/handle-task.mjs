/** In a child process: runs `work` with the parent's first message, and sends the parent its result. */
export function handleTask(work) {
  process.once('message', async (task) => {
    process.send(await work(task));
  });
  // The parent has exited.
  process.on('disconnect', () => process.exit(0));
}
