import { fileURLToPath } from "node:url";
import { localFiles } from "../../../files/local-files.ts";
import { schemaLink } from "../../init/schema-link.ts";
import type { Check } from "../check.ts";

/** The schema of scenario files, which editors read: in the installation, and as scenarios here find it. */
export const schema: Check = {
  title: "Editors",
  look: async () => {
    const shipped = fileURLToPath(new URL("../../../../schema/scenario.schema.json", import.meta.url));
    const isThere = (await localFiles.whatIs(shipped)) === "file";
    const { path, missing } = await schemaLink(".", "", localFiles);
    return [
      isThere
        ? { topic: "schema", state: "ok", text: shipped }
        : {
            topic: "schema",
            state: "note",
            text: `${shipped} is missing`,
            advice: "moecast schema -o scenario.schema.json",
          },
      missing === null
        ? { topic: "from here", state: "ok", text: `# yaml-language-server: $schema=${path}` }
        : {
            topic: "from here",
            state: "note",
            text: "no schema at or above this folder",
            advice: `moecast schema -o ${missing}`,
          },
    ];
  },
};
