import { access, constants, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { backendsFolder } from "../../../capture/backends/packages.ts";
import type { Check, Finding } from "../check.ts";

/** Folders that commands write to: what is not there is made in the nearest folder above. */
const places: readonly { readonly topic: string; readonly path: () => string; readonly needs: string }[] = [
  { topic: "this folder", path: () => ".", needs: "outputs, sweeps/" },
  { topic: "temporary files", path: tmpdir, needs: "calibrate --live" },
  { topic: "backends", path: () => backendsFolder(), needs: "capture --setup" },
];

/** Whether the folders that commands write to can be written. */
export const folders: Check = {
  title: "Folders",
  look: () => Promise.all(places.map(({ topic, path, needs }) => writable(topic, resolve(path()), needs))),
};

async function writable(topic: string, path: string, needs: string): Promise<Finding> {
  const at = await nearest(path);
  const isWritable = await access(at, constants.W_OK).then(
    () => true,
    () => false,
  );
  return isWritable
    ? { topic, state: "ok", text: `${path} can be written` }
    : { topic, state: "note", text: `${path} cannot be written; for ${needs}` };
}

async function nearest(path: string): Promise<string> {
  const above = resolve(path, "..");
  if (above === path || (await stat(path).catch(() => null)) !== null) return path;
  return nearest(above);
}
