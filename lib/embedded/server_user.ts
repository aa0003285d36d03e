/** The operating-system user a server runs as. PostgreSQL refuses to run as root. */
import { WeirError } from "../errors.ts";

/** A user by number, as a child process is given it. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** In this order. A cluster is safest with a user of its own; `nobody` is there when no such user is. */
const candidates = ["postgres", "nobody"];

/**
 * The user to become for the server, or undefined where the present one will do.
 *
 * @param owner who owns the cluster already, if there is one: it stays with its owner
 */
export async function serverUser(owner?: ServerUser): Promise<ServerUser | undefined> {
  if (Deno.uid() !== 0) return undefined;
  if (owner !== undefined && owner.uid !== 0) return owner;
  const accounts = await Deno.readTextFile("/etc/passwd");
  for (const name of candidates) {
    const account = findAccount(accounts, name);
    if (account !== undefined) return account;
  }
  throw new WeirError("precondition", "PostgreSQL does not run as root and there is no user to run it as", {
    advice: "Run the job as an ordinary user, add a system user named postgres, or set POSTGRES_URL",
  });
}

/** Reads one account out of the text of `/etc/passwd` (passwd(5)). */
export function findAccount(accounts: string, name: string): ServerUser | undefined {
  for (const line of accounts.split("\n")) {
    const [account, , uid, gid] = line.split(":");
    if (account === name && uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}
