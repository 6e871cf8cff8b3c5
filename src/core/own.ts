/**
 * Value of a table under a name that came from outside, or undefined where the table has no such entry of its own.
 * Indexing would also find what every object inherits: `constructor`, `toString`, `__proto__`.
 */
export function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
