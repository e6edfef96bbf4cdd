/** What protects history. `roles`: the program's role cannot change it at all. `trigger`: the role owns the tables, so only triggers prevent changes. */
export type AppendOnlyBy = 'roles' | 'trigger';

/** Query for whether the current role owns the log. Returns one row with `owns`. */
export const ownsHistory = `select pg_has_role(current_user, c.relowner, 'usage') as owns from pg_class c where c.oid = 'distilog.events'::regclass`;

/** Returns what protects history, given whether the role owns the log. */
export const appendOnlyBy = (owns: boolean | undefined): AppendOnlyBy => ((owns ?? true) ? 'trigger' : 'roles');
