/** Why the operating system refuses a path, in words, by its error code. */
const causes: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EBUSY: "it is in use",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be too large for the file system",
  EIO: "the device reports an input/output error",
  EISDIR: "it is a folder",
  ELOOP: "its symbolic links lead in a circle",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "its name is too long",
  ENFILE: "too many files are open",
  ENODEV: "there is no such device",
  ENOENT: "it does not exist",
  ENOSPC: "no space is left on the device",
  ENOTDIR: "a part of the path is no folder",
  ENXIO: "nobody is at the other end of it",
  EPERM: "permission is denied",
  EPIPE: "its reader has gone",
  EROFS: "the file system is read-only",
  ETXTBSY: "it is a program that is running",
};

/** Whether the operating system refused something, rather than that moecast is at fault. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "code" in error;
}

/** The cause of a system error in words, else its message. */
export function causeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return causes[code ?? ""] ?? message;
}
