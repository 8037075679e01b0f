// Many things to do, a few at a time.

/** Rejects with the first error, once what was begun has ended. */
export async function forEachOf<T>(
  items: Iterable<T>,
  width: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  // One iterator for all: each takes the next item that nobody has.
  const shared = Array.from(items).values();
  const lanes = Array.from({ length: width }, async () => {
    for (const item of shared) await act(item);
  });
  const ends = await Promise.allSettled(lanes);
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
