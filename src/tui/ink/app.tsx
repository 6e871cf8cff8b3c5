import { TextInput } from "@inkjs/ui";
import { Box, Text, useInput } from "ink";
import { useSyncExternalStore } from "react";
import { keyName } from "../keys/key-name.ts";
import type { Prompt } from "../state/core.ts";

/** What Ink needs of the screens: the line that is being typed, and who hears of keys. */
export interface InkHost {
  readonly subscribe: (changed: () => void) => () => void;
  readonly prompt: () => { readonly prompt: Prompt; readonly number: number } | null;
  readonly pressed: (key: string) => void;
  readonly typed: (text: string, done: boolean) => void;
  readonly untyped: () => void;
}

/** Keys, and the line that is being typed. All else of the screen is drawn beside Ink, which is slow at dense text. */
export function App({ host }: { readonly host: InkHost }) {
  const typing = useSyncExternalStore(host.subscribe, host.prompt);
  useInput((input, key) => {
    if (typing !== null) {
      if (key.escape || (key.ctrl && input === "c")) host.untyped();
      return;
    }
    const name = keyName(input, key);
    if (name !== null) host.pressed(name);
  });
  if (typing === null) return <Text> </Text>;
  const { prompt, number } = typing;
  return (
    <Box>
      <Text> {prompt.label}</Text>
      <TextInput
        key={number}
        defaultValue={prompt.value}
        suggestions={[...prompt.suggestions]}
        onChange={(text) => host.typed(text, false)}
        onSubmit={(text) => host.typed(text, true)}
      />
    </Box>
  );
}
