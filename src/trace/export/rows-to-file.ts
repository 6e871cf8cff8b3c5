import { open, rename, rm } from "node:fs/promises";

/** Writes pieces to a file as they come; the file appears under its name only when it is complete. */
export async function writePieces(path: string, pieces: Iterable<Uint8Array | string>): Promise<void> {
  const temporary = `${path}.partial`;
  const handle = await open(temporary, "w");
  try {
    for (const piece of pieces) await (typeof piece === "string" ? handle.write(piece) : handle.write(piece));
    await handle.close();
    await rename(temporary, path);
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(temporary, { force: true });
    throw error;
  }
}
