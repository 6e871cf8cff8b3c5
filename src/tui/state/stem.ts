/** The last part of a path, without its ending. */
export const stem = (path: string): string => path.replace(/^.*[\\/]|\.[a-z]+$/g, "");
