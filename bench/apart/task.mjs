/** In a process apart: does the task that it is given, and says what it came to. */
export function answerTask(work) {
  process.once('message', async (task) => {
    process.send(await work(task));
  });
  // Whoever started it is gone.
  process.on('disconnect', () => process.exit(0));
}
