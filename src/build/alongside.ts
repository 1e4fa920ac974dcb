/** Does `work` while something else goes on that cannot fail, and waits for both. */
export async function alongside<T>(other: Promise<void>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await other;
  }
}
