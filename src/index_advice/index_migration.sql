
-- The advice as a migration file, for those whose indexes are made by migrations.
--
-- Statements are exactly those given, whatever their names hold: they stand in string
-- literals in which nothing is left to the language's interpolation.

CREATE FUNCTION remedy.quote_for_program(value text, hash_interpolates boolean) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT '"' || CASE WHEN hash_interpolates THEN replace(quoted, '#', E'\\#') ELSE quoted END || '"'
	FROM replace(replace(replace(replace(value, E'\\', E'\\\\'), '"', E'\\"'), E'\n', E'\\n'), E'\r', E'\\r') AS quoted
$$;
COMMENT ON FUNCTION remedy.quote_for_program(text, boolean) IS 'the value as a string literal of Python, or with hash_interpolates of Ruby';

-- SQLAlchemy takes :name for a parameter, unless a backslash precedes it or a colon
-- goes before or after.
CREATE FUNCTION remedy.escape_for_alembic(statement text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT regexp_replace(statement, '(?<!:):(?![[:alnum:]_$]*:)', E'\\\\:', 'g')
$$;
COMMENT ON FUNCTION remedy.escape_for_alembic(text) IS 'the statement as op.execute() and text() take it';

-- Places for format(): in a layout all steps and all that undoes them, in a step its
-- comment, its statement and what undoes it, in an undo that alone.  Nothing stands for
-- no step at all.
CREATE FUNCTION remedy.index_migration_layouts(OUT format text, OUT layout text, OUT step text, OUT undo text, OUT nothing text) RETURNS SETOF record
	LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 4
	SET search_path = pg_catalog, pg_temp
AS $_$
	VALUES ('sql',
$$-- Indexes advised by pg_remedy.  They are built concurrently: run this outside of a
-- transaction block, with psql for instance.
%1$s
-- To undo it:
%2$s$$,
$$
-- %1$s
%2$s;
$$,
$$-- %1$s;
$$, ''),
	('alembic',
$$"""Indexes advised by pg_remedy."""

from alembic import op

# The revision needs a name that is not taken, and comes after the one that
# "alembic heads" shows.
revision = "pg_remedy_indexes"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    with op.get_context().autocommit_block():
%1$s

def downgrade():
    with op.get_context().autocommit_block():
%2$s$$,
$$        # %1$s
        op.execute(%2$s)
$$,
$$        op.execute(%1$s)
$$,
$$        pass
$$),
	('django',
$$"""Indexes advised by pg_remedy."""

from django.db import migrations


class Migration(migrations.Migration):
    atomic = False  # They are built concurrently.

    # The latest migration of the app goes here: ("app", "0001_initial").
    dependencies = []

    operations = [
%1$s    ]
$$,
$$        # %1$s
        migrations.RunSQL(
            sql=%2$s,
            reverse_sql=%3$s,
        ),
$$, '', ''),
	('rails',
$$# Indexes advised by pg_remedy: db/migrate/<time>_add_advised_indexes.rb
class AddAdvisedIndexes < ActiveRecord::Migration[ActiveRecord::Migration.current_version]
  disable_ddl_transaction! # They are built concurrently.

  def up
%1$s  end

  def down
%2$s  end
end
$$,
$$    # %1$s
    execute %2$s
$$,
$$    execute %1$s
$$, '')
$_$;
COMMENT ON FUNCTION remedy.index_migration_layouts() IS 'source of remedy.format_index_migration(): how migrations of each format look';

CREATE FUNCTION remedy.write_for_migration(format text, statement text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE format
	       WHEN 'sql' THEN statement
	       WHEN 'alembic' THEN remedy.quote_for_program(remedy.escape_for_alembic(statement), false)
	       ELSE remedy.quote_for_program(statement, format = 'rails')
	       END
$$;
COMMENT ON FUNCTION remedy.write_for_migration(text, text) IS 'source of remedy.format_index_migration(): a statement as migrations of this format have it';

CREATE FUNCTION remedy.format_index_migration(format text, create_sql text[], drop_sql text[], comments text[]) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	form record;
	steps text := '';
	undo text := '';
	undo_statement text;
BEGIN
	SELECT * INTO form FROM remedy.index_migration_layouts() AS l WHERE l.format = format_index_migration.format;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no migration format "%"', format
			USING ERRCODE = 'invalid_parameter_value', HINT = 'The formats are sql, alembic, django and rails.';
	END IF;
	FOR i IN 1 .. cardinality(create_sql) LOOP
		undo_statement := remedy.write_for_migration(format, drop_sql[i]);
		steps := steps || format(form.step, regexp_replace(comments[i], '[[:cntrl:]]+', ' ', 'g'),
		                         remedy.write_for_migration(format, create_sql[i]), undo_statement);
		undo := format(form.undo, CASE format WHEN 'sql' THEN regexp_replace(undo_statement, E'[\n\r]+', E'\n-- ', 'g')
		                                      ELSE undo_statement END) || undo;
	END LOOP;
	RETURN format(form.layout, coalesce(nullif(steps, ''), form.nothing), coalesce(nullif(undo, ''), form.nothing));
END
$$;
COMMENT ON FUNCTION remedy.format_index_migration(text, text[], text[], text[]) IS
	'a migration file that runs the statements of create_sql, and to undo it those of drop_sql, backwards; format is sql, alembic, django or rails';

CREATE FUNCTION remedy.index_migration(format text DEFAULT 'sql') RETURNS text
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (SELECT remedy.format_index_migration(index_migration.format,
	                                             coalesce(array_agg(m.fix_sql ORDER BY m.rank), '{}'),
	                                             coalesce(array_agg(m.undo_sql ORDER BY m.rank), '{}'),
	                                             coalesce(array_agg(m.table_name || ': ' || m.evidence ORDER BY m.rank), '{}'))
	        FROM remedy.missing_indexes AS m
	        WHERE m.fix_sql IS NOT NULL);
END
$$;
COMMENT ON FUNCTION remedy.index_migration(text) IS
	'the advice of remedy.missing_indexes as a migration file; format is sql, alembic, django or rails';
