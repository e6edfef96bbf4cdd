/** Returns an object's own member, or undefined. Users choose the names of steps and models, so a name may be `constructor`. */
export const getOwn = <T>(members: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(members, name) ? members[name] : undefined;
