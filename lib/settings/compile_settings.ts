/** The settings of `deno task compile`: where binaries go, and what they may reach beside what their tasks may. */
import { list, text } from "./kinds.ts";

/** The settings, under the names the job uses. */
export const compileSettings = {
  binariesOut: text({
    flag: "out",
    environment: "WEIR_COMPILE_OUT",
    help: "Folder to write the binaries to",
    defaultText: "dist",
    placeholder: "FOLDER",
  }),
  binaryHosts: list({
    flag: "hosts",
    help: "Hosts that the binaries may reach beside this machine, such as db.example.com:5432 or *.amazonaws.com",
    placeholder: "HOST,…",
  }),
  binaryFolders: list({
    flag: "folders",
    environment: "WEIR_COMPILE_FOLDERS",
    help: "Folders that the binaries may read and write beside data/state and data/lake of the folder they run in",
    placeholder: "FOLDER,…",
  }),
};
