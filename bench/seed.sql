-- A large installation. Statements run one after the other, in one transaction, with the sizes of bench/seed.py.
-- Of ten artifacts that follow each other: 0 is an index of 1 and 2 (no tags), 3 signs 4, 5 has no tag, the others do.

CREATE FUNCTION pg_temp.share(number bigint, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(number, salt) & 1048575)::float8 / 1048576 $$;

CREATE FUNCTION pg_temp.digest(content text) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT 'sha256:' || encode(sha256(convert_to(content, 'UTF8')), 'hex') $$;

INSERT INTO accounts_user (id, password, username, email, realname, comment, is_admin, is_active, deleted, auth_epoch,
    language, theme, time_zone, creation_time, update_time)
SELECT g, %(password)s, CASE g WHEN 1 THEN 'admin' ELSE 'person-' || g END, 'person-' || g || '@haven.test',
    'Person Number ' || g, '', g = 1, true, false, 0, '', '', '', %(now)s, %(now)s
FROM generate_series(1, %(users)s) g;

INSERT INTO accounts_group (id, name, type, ldap_group_dn, creation_time, update_time)
SELECT g, 'team-' || g, 2, '', %(now)s, %(now)s FROM generate_series(1, 50) g;

INSERT INTO accounts_groupmembership (group_id, user_id)
SELECT 1 + mod(g, 50), g FROM generate_series(1, %(users)s) g;

INSERT INTO projects_project (id, name, owner_id, public, metadata, creation_time, update_time)
SELECT g, 'project-' || g, 1 + mod(g * 7, %(users)s), mod(g, 5) = 0, '{}', made, made
FROM (SELECT g, %(now)s::timestamptz - make_interval(hours => g * 9) AS made
    FROM generate_series(1, %(projects)s) g) numbered;

-- Person 2 belongs to every second project, person 3 to three, the others to some ten.
INSERT INTO projects_member (project_id, user_id, role, creation_time, update_time)
SELECT DISTINCT ON (project, person) project, person, 1 + mod(project + person, 5), %(now)s, %(now)s FROM (
    SELECT g AS project, 4 + floor(pg_temp.share(g * 100 + n, 1) * (%(users)s - 4))::int AS person
    FROM generate_series(1, %(projects)s) g, generate_series(1, 15) n
    UNION ALL SELECT g, 2 FROM generate_series(1, %(projects)s, 2) g
    UNION ALL SELECT g, 3 FROM generate_series(1, 3) g
) chosen;

INSERT INTO projects_member (project_id, group_id, role, creation_time, update_time)
SELECT g, 10 + mod(g, 41), 3, %(now)s, %(now)s FROM generate_series(1, %(projects)s) g;

INSERT INTO projects_label (id, project_id, name, description, color, creation_time, update_time)
SELECT g, CASE WHEN g > 20 THEN 1 + mod(g, %(projects)s) END, 'label-' || g, '', '#0065AB', %(now)s, %(now)s
FROM generate_series(1, 20 + 3 * %(projects)s) g;

INSERT INTO robots_robot (name, level, project_id, description, secret_digest, permissions, duration, disabled,
    auth_epoch, creator, creation_time, update_time)
SELECT 'ci-' || g, 'project', 1 + mod(g, %(projects)s), '', md5(g::text),
    jsonb_build_object('system', '[]'::jsonb, 'projects',
        jsonb_build_object((1 + mod(g, %(projects)s))::text, '["repository:pull", "repository:push"]'::jsonb)),
    -1, false, 0, 'admin', %(now)s, %(now)s
FROM generate_series(1, 4 * %(projects)s) g;

INSERT INTO robots_robot (name, level, description, secret_digest, permissions, duration, disabled, auth_epoch, creator,
    creation_time, update_time)
SELECT 'system-' || g, 'system', '', md5(g::text), '{"system": [], "projects": {"0": ["repository:pull"]}}', -1, false,
    0, 'admin', %(now)s, %(now)s
FROM generate_series(1, 20) g;

-- 1 is the busy repository, of project 2; those that follow belong to project 1; the others are unevenly spread.
INSERT INTO artifacts_repository (id, project_id, name, description, pull_count, creation_time, update_time)
SELECT g, project, 'project-' || project || CASE g WHEN 1 THEN '/busy' ELSE '/team/app-' || g END, '', 0, made, made
FROM (
    SELECT g, %(now)s::timestamptz - make_interval(mins => g * 40) AS made,
        CASE WHEN g = 1 THEN 2 WHEN g <= %(large_project)s THEN 1
        ELSE 2 + floor(power(pg_temp.share(g, 2), 2) * (%(projects)s - 1))::int END AS project
    FROM generate_series(1, %(repositories)s) g
) numbered;

CREATE TEMP TABLE planned ON COMMIT DROP AS
SELECT g AS id, mod(g, 10) AS kind, r.id AS repository_id, r.project_id,
    %(now)s::timestamptz - (%(artifacts)s - g) * interval '2 years' / %(artifacts)s AS push_time
FROM (
    SELECT g, CASE WHEN g < %(busy_artifacts)s THEN 1
        ELSE 2 + floor(power(pg_temp.share(g / 10, 3), 2) * (%(repositories)s - 1))::int END AS repository
    FROM generate_series(0, %(artifacts)s - 1) g
) numbered JOIN artifacts_repository r ON r.id = numbered.repository;

CREATE TEMP TABLE layered ON COMMIT DROP AS
SELECT p.*, part, pg_temp.digest(name) AS blob_digest, 500 + floor(share * most)::bigint AS blob_size
FROM planned p
CROSS JOIN LATERAL (VALUES
    (0, 'config ' || p.id, pg_temp.share(p.id, 4), 8000::bigint),
    (1, 'base ' || p.repository_id || ' ' || mod(p.id / 10, 4), pg_temp.share(p.repository_id, 5), 60000000),
    (2, 'layer ' || p.id, pg_temp.share(p.id, 6), 40000000)
) layer (part, name, share, most)
WHERE p.kind <> 0 AND (p.kind <> 3 OR part <> 1);

-- The base layer is named by repository and variant, so that its size is the same wherever it is used.
INSERT INTO artifacts_blob (repository_id, digest, stored_digest, size, touched)
SELECT repository_id, blob_digest, blob_digest, max(blob_size), max(push_time) FROM layered GROUP BY 1, 2;

CREATE TEMP TABLE made ON COMMIT DROP AS
WITH described AS (
    SELECT id, max(blob_digest) FILTER (WHERE part = 0) AS config, max(blob_size) FILTER (WHERE part = 0) AS config_size,
        string_agg('{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"' || blob_digest
            || '","size":' || blob_size || '}', ',' ORDER BY part) FILTER (WHERE part > 0) AS layers,
        sum(blob_size) AS size
    FROM layered WHERE kind <> 3 GROUP BY id
)
SELECT id, size, '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":'
    || '"application/vnd.oci.image.config.v1+json","digest":"' || config || '","size":' || config_size
    || '},"layers":[' || layers || ']}' AS content, '' AS subject_digest
FROM described;

-- A signature is of the artifact that follows it.
INSERT INTO made
SELECT config.id, config.blob_size + layer.blob_size,
    '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":'
    || '"application/vnd.dev.sigstore.bundle.v0.3+json","config":{"mediaType":"application/vnd.oci.empty.v1+json",'
    || '"digest":"' || config.blob_digest || '","size":' || config.blob_size
    || '},"layers":[{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","digest":"' || layer.blob_digest
    || '","size":' || layer.blob_size || '}],"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json",'
    || '"digest":"' || subject.digest || '","size":' || subject.size || '}}', subject.digest
FROM layered config JOIN layered layer ON layer.id = config.id AND layer.part = 2
JOIN (SELECT id, pg_temp.digest(content) AS digest, octet_length(content) AS size FROM made) subject
    ON subject.id = config.id + 1
WHERE config.kind = 3 AND config.part = 0;

-- Entries of the indexes; the first index has hundreds more, of what has no tag.
CREATE TEMP TABLE entries ON COMMIT DROP AS
SELECT parent.id AS parent, child.id AS child,
    (row_number() OVER (PARTITION BY parent.id ORDER BY child.id) - 1)::int AS position
FROM planned parent JOIN planned child ON child.repository_id = parent.repository_id
    AND ((child.kind IN (1, 2) AND child.id BETWEEN parent.id + 1 AND parent.id + 2)
    OR (parent.id = 0 AND child.kind = 5 AND child.id < %(deep_entries)s * 10))
WHERE parent.kind = 0 AND (parent.id = 0 OR child.id BETWEEN parent.id + 1 AND parent.id + 2);

INSERT INTO made
SELECT e.parent, sum(child.size + octet_length(child.content)),
    '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":['
    || string_agg('{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"' || child.digest || '","size":'
        || octet_length(child.content) || ',"platform":{"os":"linux","architecture":"'
        || CASE mod(e.position, 2) WHEN 0 THEN 'amd64' ELSE 'arm64' END || '"}}', ',' ORDER BY e.position) || ']}', ''
FROM entries e JOIN (SELECT *, pg_temp.digest(content) AS digest FROM made) child ON child.id = e.child
GROUP BY e.parent;

INSERT INTO artifacts_artifact (id, project_id, repository_id, digest, stored_digest, kept, media_type, artifact_type,
    config_media_type, type, size, manifest_size, extra_attrs, annotations, subject_digest, push_time, pull_time,
    pull_count, listed, tagged)
SELECT p.id + 1, p.project_id, p.repository_id, pg_temp.digest(m.content), pg_temp.digest(m.content), 'manifest',
    CASE p.kind WHEN 0 THEN 'application/vnd.oci.image.index.v1+json'
        ELSE 'application/vnd.oci.image.manifest.v1+json' END,
    CASE p.kind WHEN 0 THEN '' WHEN 3 THEN 'application/vnd.dev.sigstore.bundle.v0.3+json'
        ELSE 'application/vnd.oci.image.config.v1+json' END,
    CASE p.kind WHEN 0 THEN '' WHEN 3 THEN 'application/vnd.oci.empty.v1+json'
        ELSE 'application/vnd.oci.image.config.v1+json' END,
    CASE WHEN p.kind = 3 THEN 'SIGNATURE' WHEN mod(p.id, 50) = 29 THEN 'CHART' ELSE 'IMAGE' END,
    m.size + octet_length(m.content), octet_length(m.content),
    CASE WHEN p.kind IN (0, 3) THEN '{}'::jsonb ELSE jsonb_build_object('os', 'linux', 'architecture', 'amd64',
        'author', '', 'created', p.push_time, 'config', jsonb_build_object('Cmd', '["/bin/app", "serve"]'::jsonb,
        'Env', '["PATH=/usr/local/bin:/usr/bin:/bin", "MODE=production"]'::jsonb, 'WorkingDir', '/srv')) END,
    '{}', m.subject_digest, p.push_time,
    CASE WHEN mod(p.id, 3) > 0 THEN p.push_time + interval '1 day' END, mod(p.id, 3) * mod(p.id, 101),
    p.kind <> 3 AND NOT EXISTS (SELECT 1 FROM entries e WHERE e.child = p.id), p.kind NOT IN (1, 2, 3, 5)
FROM planned p JOIN made m ON m.id = p.id ORDER BY p.id;

INSERT INTO artifacts_manifest (artifact_id, content) SELECT id + 1, convert_to(content, 'UTF8') FROM made;

INSERT INTO artifacts_artifactblob (artifact_id, blob_id)
SELECT l.id + 1, b.id FROM layered l
JOIN artifacts_blob b ON b.repository_id = l.repository_id AND b.digest = l.blob_digest;

INSERT INTO artifacts_reference (parent_id, child_id, position, platform, annotations, urls)
SELECT parent + 1, child + 1, position, jsonb_build_object('os', 'linux', 'architecture',
    CASE mod(position, 2) WHEN 0 THEN 'amd64' ELSE 'arm64' END), '{}', '[]' FROM entries;

INSERT INTO artifacts_accessory (artifact_id, repository_id, subject_id, subject_digest, type, creation_time)
SELECT p.id + 1, p.repository_id, p.id + 2, m.subject_digest, 'signature.cosign', p.push_time
FROM planned p JOIN made m ON m.id = p.id WHERE p.kind = 3;

CREATE TEMP TABLE named ON COMMIT DROP AS
SELECT id, repository_id, push_time, row_number() OVER (PARTITION BY repository_id = 1 ORDER BY id) - 1 AS place,
    count(*) OVER (PARTITION BY repository_id = 1) AS places
FROM planned WHERE kind NOT IN (1, 2, 3, 5);

INSERT INTO artifacts_tag (repository_id, artifact_id, name, push_time, pull_time)
SELECT n.repository_id, n.id + 1, CASE WHEN mod(g, 97) = 0 THEN 'nightly-' || g
    ELSE 'v' || g / 10000 || '.' || mod(g / 100, 100) || '.' || mod(g, 100) END,
    n.push_time + mod(g, 50) * interval '1 hour', n.push_time + interval '2 days'
FROM named n CROSS JOIN LATERAL generate_series(n.place,
    CASE n.repository_id WHEN 1 THEN %(busy_tags)s ELSE %(tags)s - %(busy_tags)s END - 1, n.places) g;

INSERT INTO artifacts_artifactlabel (artifact_id, label_id)
SELECT id + 1, 1 + mod(id / 10, 20) FROM planned WHERE kind IN (4, 6);

UPDATE artifacts_repository r SET pull_count = counted.pulls, update_time = greatest(r.update_time, counted.latest)
FROM (SELECT repository_id, sum(pull_count) AS pulls, max(push_time) AS latest FROM artifacts_artifact GROUP BY 1) counted
WHERE counted.repository_id = r.id;

INSERT INTO artifacts_pullday (project_id, repository_id, day, pulls)
SELECT r.project_id, r.id, (%(now)s::timestamptz AT TIME ZONE 'UTC')::date - back, 1 + mod(r.id * 31 + back * 17, 200)
FROM artifacts_repository r, generate_series(0, 40) back WHERE pg_temp.share(r.id * 100 + back, 7) < 0.4;

INSERT INTO projects_quota (project_id, hard, used, creation_time, update_time)
SELECT p.id, CASE mod(p.id, 3) WHEN 0 THEN 1000000000000 ELSE -1 END, coalesce(paid.size, 0), p.creation_time, %(now)s
FROM projects_project p LEFT JOIN (
    SELECT project_id, sum(size) AS size FROM (
        SELECT r.project_id, b.stored_digest, b.size FROM artifacts_blob b
        JOIN artifacts_repository r ON r.id = b.repository_id
        UNION SELECT project_id, stored_digest, manifest_size FROM artifacts_artifact
    ) part GROUP BY 1
) paid ON paid.project_id = p.id;

-- Four of five entries are pulls; one of a hundred is a login, of no project.
INSERT INTO audit_entry (id, event_id, op_time, username, resource_type, resource, operation, operation_description,
    success, project_id, details)
SELECT g, CASE operation WHEN 'pull' THEN gen_random_uuid() END, op_time,
    CASE WHEN resource_type = 'user' OR mod(g, 3) = 0 THEN 'person-' || person
        ELSE 'robot$project-' || r.project_id || '+ci-' || r.project_id - 1 END,
    resource_type, resource, operation, operation || ' ' || resource_type || ': ' || resource, mod(g, 200) > 0,
    CASE WHEN resource_type <> 'user' THEN r.project_id END, details
FROM (
    SELECT g, %(now)s::timestamptz - (%(entries)s - g) * interval '1 year' / %(entries)s AS op_time,
        2 + floor(power(pg_temp.share(g, 8), 2) * (%(users)s - 2))::int AS person,
        CASE WHEN mod(g, 100) < 80 THEN 'pull' WHEN mod(g, 100) = 99 THEN 'login' WHEN mod(g, 100) > 95 THEN 'delete'
            ELSE 'create' END AS operation,
        CASE mod(g, 100) WHEN 99 THEN 'user' WHEN 98 THEN 'tag' ELSE 'artifact' END AS resource_type,
        1 + floor(power(pg_temp.share(g, 9), 3) * (%(repositories)s - 1))::int AS repository
    FROM generate_series(1, %(entries)s) g
) happened JOIN artifacts_repository r ON r.id = happened.repository
CROSS JOIN LATERAL (SELECT
    CASE resource_type WHEN 'user' THEN 'person-' || person
        ELSE r.name || ':v' || mod(g, 50) || '.' || mod(g, 7) END AS resource,
    CASE resource_type WHEN 'artifact' THEN jsonb_build_object('tag', 'v' || mod(g, 50), 'address', '10.0.0.1')
        ELSE '{}'::jsonb END AS details) told;

-- As the task that looks after the tallies leaves them.
INSERT INTO audit_tally (day, project_id, operation, resource_type, success, number)
SELECT (op_time AT TIME ZONE 'UTC')::date, 0, operation, resource_type, success, count(*)
FROM audit_entry GROUP BY 1, 3, 4, 5
UNION ALL SELECT (op_time AT TIME ZONE 'UTC')::date, project_id, operation, resource_type, success, count(*)
FROM audit_entry WHERE project_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5;

INSERT INTO audit_usertally (username, operation, resource_type, success, number)
SELECT username, operation, resource_type, success, count(*) FROM audit_entry GROUP BY 1, 2, 3, 4;

INSERT INTO audit_purged (id, times, counted, settled, newest, next_transaction)
VALUES (1, 0, %(entries)s, %(entries)s, %(entries)s, 0)
ON CONFLICT (id) DO UPDATE SET counted = excluded.counted, settled = excluded.settled, newest = excluded.newest;

INSERT INTO jobs_execution (id, vendor_type, vendor_id, trigger, extra_attrs, start_time)
SELECT g, CASE mod(g, 4) WHEN 0 THEN 'PURGE_AUDIT_LOG' WHEN 1 THEN 'GARBAGE_COLLECTION' ELSE 'REPLICATION' END,
    CASE WHEN mod(g, 4) > 1 THEN 1 + mod(g, 50) ELSE 0 END, 'SCHEDULE', '{}',
    %(now)s::timestamptz - (%(executions)s - g) * interval '1 year' / %(executions)s
FROM generate_series(1, %(executions)s) g;

INSERT INTO jobs_job (execution_id, kind, key, spec, status, status_message, attempts, max_attempts, due_at,
    stop_requested, progress, creation_time, update_time, start_time, end_time)
SELECT x.id, x.vendor_type, '', CASE x.vendor_type WHEN 'REPLICATION' THEN jsonb_build_object('operation', 'copy',
    'resource_type', 'image', 'source', 'project-2/busy', 'target', 'mirror/busy', 'tags', '["v1"]'::jsonb, 'digest', '')
    ELSE '{}' END, CASE WHEN mod(x.id + n, 40) = 0 THEN 'Error' ELSE 'Success' END, '', 1, 3,
    x.start_time, false, '{}', x.start_time, x.start_time, x.start_time, x.start_time + n * interval '1 second'
FROM jobs_execution x, generate_series(1, CASE WHEN x.vendor_type = 'REPLICATION' THEN 8 ELSE 1 END) n;

INSERT INTO replication_endpoint (id, name, type, url, description, credential_type, access_key, sealed_secret, insecure,
    ca_certificate, shared, status, problem, creation_time, update_time)
SELECT g, 'endpoint-' || g, 'harbor', 'https://registry-' || g || '.test', '', '', '', '', false, '', mod(g, 2) = 0,
    'healthy', '', %(now)s, %(now)s
FROM generate_series(1, 20) g;

INSERT INTO replication_policy (id, name, description, dest_namespace, replace_count, filters, trigger, cron, deletion,
    override, enabled, speed, copy_by_chunk, single_active, creator, creation_time, update_time, target_id)
SELECT g, 'policy-' || g, '', '', -1, '[]', 'manual', '', false, true, true, 0, false, false, 'admin', %(now)s, %(now)s,
    1 + mod(g, 20)
FROM generate_series(1, 50) g;
