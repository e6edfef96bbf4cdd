/** `roles`: the program's role may not change history at all. `trigger`: it owns the tables, so only triggers stand against it. */
export type AppendOnlyBy = 'roles' | 'trigger';

/** Asks whether the role that connects owns the log: a row with `owns`. */
export const ownsHistory = `select pg_has_role(current_user, c.relowner, 'usage') as owns from pg_class c where c.oid = 'distilog.events'::regclass`;

/** Who keeps history, given whether the role owns it. */
export const appendOnlyBy = (owns: boolean | undefined): AppendOnlyBy => ((owns ?? true) ? 'trigger' : 'roles');
