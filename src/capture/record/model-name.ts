import { basename, dirname, resolve } from "node:path";

/** Name of the model in a checkpoint folder: the folder's, or in a Hugging Face cache (`models--org--name/snapshots/...`) that of its repository. */
export function modelName(folder: string): string {
  const path = resolve(folder);
  const repository = basename(dirname(dirname(path)));
  return basename(dirname(path)) === "snapshots" && repository.startsWith("models--")
    ? repository.slice("models--".length).replaceAll("--", "/")
    : basename(path);
}
