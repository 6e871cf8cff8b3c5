import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const index = readFileSync("src/index.ts", "utf8");
const page = readFileSync("docs/library.md", "utf8");

/** Names that an entry point exports, types apart. */
function namesOf(text: string): { readonly values: string[]; readonly types: string[] } {
  const values: string[] = [];
  const types: string[] = [];
  for (const [, ofTypes = "", names = ""] of text.matchAll(/export (type )?\{([^}]*)\}/g))
    for (const name of names.split(",").map((word) => word.trim()))
      if (name !== "") (ofTypes !== "" || name.startsWith("type ") ? types : values).push(name.replace("type ", ""));
  return { values: values.sort(), types: types.sort() };
}

/** The golden list: a change of it is a change for those who use the library, and of docs/library.md. */
const golden = JSON.parse(readFileSync("test/library/api.json", "utf8")) as {
  readonly stable: Readonly<Record<string, string>>;
  readonly experimental: Readonly<Record<string, string>>;
  readonly types: readonly string[];
};

/** The first line of each function's declaration, and its stability, by name. */
function declarations(): { readonly stable: Record<string, string>; readonly experimental: Record<string, string> } {
  const found: Record<"stable" | "experimental", Record<string, string>> = { stable: {}, experimental: {} };
  for (const [, file = ""] of index.matchAll(/from "(\.\/library\/[^"]+)"/g)) {
    const text = readFileSync(`src/${file}`, "utf8");
    const pattern = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport async function (\w+)\(([\s\S]*?)\): (Promise<[^{]*>) \{/g;
    for (const [, comment = "", name = "", given = "", returned = ""] of text.matchAll(pattern)) {
      const stability = /@(stable|experimental)\b/.exec(comment)?.[1] as "stable" | "experimental" | undefined;
      if (stability !== undefined)
        found[stability][name] = `(${given.replace(/\s+/g, " ").trim().replace(/,$/, "")}): ${returned}`;
    }
  }
  return found;
}

test("functions and types of the library are those of the golden list", () => {
  const { values, types } = namesOf(index);
  const others = [
    "InfeasibleError",
    "InvalidInputError",
    "MoecastError",
    "OutputError",
    "SolverLimitError",
    "exitCodes",
    "version",
  ];
  expect(declarations()).toEqual({ stable: golden.stable, experimental: golden.experimental });
  expect(values).toEqual([...Object.keys(golden.stable), ...Object.keys(golden.experimental), ...others].sort());
  expect(types).toEqual(golden.types);
});

test("docs/library.md has a row for each function, with its stability", () => {
  for (const stability of ["stable", "experimental"] as const)
    for (const name of Object.keys(golden[stability]))
      expect(page, name).toMatch(new RegExp(`^\\| \`${name}\\([^|]*\\| .* \\| ${stability} \\|$`, "m"));
});

test("importing the library loads no more than errors and the version", () => {
  const loaded = [...index.matchAll(/^export (?!type)\{([^}]*)\} from "([^"]+)"/gm)]
    .filter(([, names = ""]) => names.split(",").some((name) => name.trim() !== "" && !name.trim().startsWith("type ")))
    .map(([, , file = ""]) => file);
  for (const file of loaded.filter((name) => name.startsWith("./library/"))) {
    const statements = readFileSync(`src/${file}`, "utf8").matchAll(/^import (?!type)[^;]*? from "([^"]+)"/gm);
    const eager = [...statements].map(([, name = ""]) => name);
    expect(
      eager.filter((name) => !/^(node:|\.\/|\.\.\/core\/(errors|suggest)|\.\.\/files\/local-files)/.test(name)),
      file,
    ).toEqual([]);
  }
});
