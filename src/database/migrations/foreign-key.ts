/** @returns the constraint that a column has the id of a row in another table, which cannot be deleted meanwhile */
export const foreignKey = (table: string, column: string, target: string): string =>
  `CONSTRAINT "${table}_${column}_fkey" FOREIGN KEY ("${column}") ` +
  `REFERENCES "${target}" ("id") ON DELETE RESTRICT ON UPDATE NO ACTION`;
