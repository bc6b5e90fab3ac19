import pytest
from hypothesis import given
from hypothesis import strategies as st

from contui.model.secrets import (
    MASK,
    mask,
    mask_args,
    mask_command,
    mask_env,
    mask_text,
    secret_name,
)

SECRET = "hunter2-Tr0ub4dor"
SECRET_NAMES = """
POSTGRES_PASSWORD MYSQL_ROOT_PASSWORD MYSQL_PWD DB_PASS PGPASSWORD REDIS_PASSWD DBPASS
SECRET_KEY_BASE AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN GITHUB_TOKEN API_KEY apiKey api-key
X_API_KEY JWT_SECRET SENTRY_DSN AUTH_TOKEN BASIC_AUTH ENCRYPTION_KEY clientSecret APP_KEY
PRIVATE_KEY userPassword accessToken SMTP_PW AZURE_STORAGE_CONNECTION_STRING PASSWORD1
com.example.db-password storepass requirepass GOOGLE_CREDENTIALS COOKIE_SECRET REDIS_AUTH
spring.datasource.password Pwd passphrase"""
ORDINARY_NAMES = """
PATH HOME PWD OLDPWD LANG TERM KEYBOARD PASSENGER_APP_ENV COMPASS_URL BYPASS AUTHOR
GIT_AUTHOR_NAME MONKEY KEYMAP TOKENIZERS_PARALLELISM MAX_TOKENS TOKEN_TTL TOKEN_LIMIT
POSTGRES_PASSWORD_FILE SECRET_NAME SECRETS_DIR AUTH_URL AUTH_METHOD OAUTH_CLIENT_ID
SSH_AUTH_SOCK PUBLIC_KEY GPG_KEY PASSWORD_MIN_LENGTH COOKIE_DOMAIN AUTH_ENABLED
org.opencontainers.image.authors PASSIVE_MODE KEYCLOAK_URL AUTH_TYPE"""
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"


@pytest.mark.parametrize(
    "name",
    SECRET_NAMES.split(),
)
def test_names_of_secrets_are_known(name: str) -> None:
    assert secret_name(name)
    assert mask(name, SECRET) == MASK
    assert mask_env(f"{name}={SECRET}") == f"{name}={MASK}"


@pytest.mark.parametrize(
    "name",
    ORDINARY_NAMES.split(),
)
def test_ordinary_names_keep_their_value(name: str) -> None:
    assert not secret_name(name)
    assert mask_env(f"{name}=some value") == f"{name}=some value"


@pytest.mark.parametrize("value", ["true", "False", "0", "1", "none", "null", ""])
def test_a_switch_named_like_a_secret_is_shown(value: str) -> None:
    assert mask("DEBUG_TOKEN", value) == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (f"postgres://app:{SECRET}@db:5432/app?x=1", f"postgres://app:{MASK}@db:5432/app?x=1"),
        (f"redis://:{SECRET}@redis:6379/0", f"redis://:{MASK}@redis:6379/0"),
        ("mongodb+srv://u:p%40ss@host/db", f"mongodb+srv://u:{MASK}@host/db"),
        ("postgres://app:p@ss@w0rd@db/app", f"postgres://app:{MASK}@db/app"),
        (f"jdbc:postgresql://db/app?user=u&password={SECRET}&ssl=1",
         f"jdbc:postgresql://db/app?user=u&password={MASK}&ssl=1"),
        (f"Server=db;User Id=sa;Password={SECRET}!;Encrypt=no;",
         f"Server=db;User Id=sa;Password={MASK};Encrypt=no;"),
        (f"host=db user=app password={SECRET}", f"host=db user=app password={MASK}"),
        ("AccountName=shop;AccountKey=Eby8vdM02xNOcqFlqUw==;EndpointSuffix=core.windows.net",
         f"AccountName=shop;AccountKey={MASK};EndpointSuffix=core.windows.net"),
        (f'{{"url": "db", "password": "{SECRET}\\"x", "retries": "3"}}',
         f'{{"url": "db", "password": "{MASK}", "retries": "3"}}'),
        (f"-Xmx1g -Djavax.net.ssl.keyStorePassword={SECRET} -Dx=1",
         f"-Xmx1g -Djavax.net.ssl.keyStorePassword={MASK} -Dx=1"),
        (f"Authorization: Bearer {SECRET}", f"Authorization: Bearer {MASK}"),
        (JWT, MASK),
    ],
)  # fmt: skip
def test_a_secret_within_an_ordinary_variable_is_masked(value: str, shown: str) -> None:
    assert mask_env(f"APP_CONFIG={value}") == f"APP_CONFIG={shown}"


@pytest.mark.parametrize(
    "token",
    [
        "ghp_" + "a1B2" * 9,
        "github_pat_11ABCDEFG0" + "abcdefghij" * 3,
        "glpat-abcdefghij1234567890",
        "xoxb-123456789012-abcdefghij",
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "sk_live_abcdefghij1234",
        "sk-ant-api03-abcdefghijklmnop",
        "sk-" + "aB3d" * 12,
        "SG.abcdefghijklmnopqrst.abcdefghijklmnopqrstuvwxyz",
        "AIza" + "a1B2c" * 7,
        "npm_" + "a1B2" * 9,
        "dckr_pat_abcdefghijklmnopqrstuvwxyz",
        "hvs.CAESIabcdefghijklmnopqrst",
        JWT,
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAA==\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----\ncut off",
    ],
)
def test_tokens_are_known_by_their_shape(token: str) -> None:
    assert mask_text(token) == MASK
    assert mask_text(f"error: '{token}' was refused").startswith(f"error: '{MASK}")
    assert token not in mask_command(f"run {token} fast")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hooks.slack.com/services/T000/B000/XXXXXXXX", "https://hooks.slack.com/services/"),
        ("https://discord.com/api/webhooks/123/abc-DEF", "https://discord.com/api/webhooks/"),
    ],
)  # fmt: skip
def test_the_address_of_a_webhook_is_a_secret(url: str, shown: str) -> None:
    assert mask_env(f"HOOK_URL={url}") == f"HOOK_URL={shown}{MASK}"


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:8080/a@b",
        "ssh://git@github.com:22/x",
        "basic authentication failed",
        "bearer of bad news",
        "connect: connection refused",
        "sha256:8226e10b924134caf4e933009e36bd5ca525283f22be8ef021fc6d982ca713d8",
        "the password is wrong",
        "/etc/ssl/private",
        "a=b;c=d",
        "mkdir -p /srv/data",
        "docker run -p 8080:80 web",
        "/run/secrets/token",
        '{"Status":"running"}',
        "nginx -g daemon off;",
        "KEY",
        "",
    ],
)
def test_ordinary_text_is_untouched(text: str) -> None:
    assert mask_text(text) == text
    assert mask_command(text) == text
    assert mask_args([text]) == [text]
    assert mask("note", text) == text


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (f"mysqld --password={SECRET} --port 3306", f"mysqld --password={MASK} --port 3306"),
        (f"redis-server --requirepass {SECRET}", f"redis-server --requirepass {MASK}"),
        (f"redis-cli -h db -a {SECRET} ping", f"redis-cli -h db -a {MASK} ping"),
        (f"mysqladmin ping -h localhost -p{SECRET}", f"mysqladmin ping -h localhost -p{MASK}"),
        (f"curl -fsu admin:x -u admin:{SECRET} http://x",
         f"curl -fsu admin:x -u admin:{MASK} http://x"),
        (f"sshpass -p {SECRET} ssh h", f"sshpass -p {MASK} ssh h"),
        (f"keytool -storepass {SECRET}", f"keytool -storepass {MASK}"),
        (f"sh -c 'export TOKEN={SECRET} && run'", f"sh -c 'export TOKEN={MASK} && run'"),
        (f"env A=1 TOKEN={SECRET} B=2 run", f"env A=1 TOKEN={MASK} B=2 run"),
        ('env DB_PASSWORD="a b" run', f"env DB_PASSWORD={MASK} run"),
        ("--password='it''s' -v", f"--password={MASK} -v"),
        (r'--password="a\"b" -v', f"--password={MASK} -v"),
        ("--password=a,b;c -v", f"--password={MASK} -v"),
        ('PASSWORD="cut of', f"PASSWORD={MASK}"),
        (f"curl -H 'X-Api-Key: {SECRET}' http://x", f"curl -H 'X-Api-Key: {MASK}' http://x"),
        (f'curl -H "Authorization: Bearer {SECRET}"', f'curl -H "Authorization: Bearer {MASK}"'),
        ("app --token --verbose", "app --token --verbose"),
        ("|1 NPM_TOKEN=abc /bin/sh -c npm ci", f"|1 NPM_TOKEN={MASK} /bin/sh -c npm ci"),
        ("psql postgres://u:pw@h/db", f"psql postgres://u:{MASK}@h/db"),
    ],
)  # fmt: skip
def test_a_command_is_shown_without_its_secrets(command: str, shown: str) -> None:
    assert mask_command(command) == shown


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["mysqld", "--password", "a b"], ["mysqld", "--password", MASK]),
        (["--password=a b"], [f"--password={MASK}"]),
        (["--token", "--verbose", "x"], ["--token", "--verbose", "x"]),
        (["env", "DB_PASSWORD=abc", "run"], ["env", f"DB_PASSWORD={MASK}", "run"]),
        (["sh", "-c", "DB_PASSWORD=x run"], ["sh", "-c", f"DB_PASSWORD={MASK} run"]),
        (["app", "-Dpassword=x", "-v"], ["app", f"-Dpassword={MASK}", "-v"]),
        (["redis-cli", "-a", "x", "ping"], ["redis-cli", "-a", MASK, "ping"]),
        (["mysqladmin", "-uroot", "-px", "ping"], ["mysqladmin", "-uroot", f"-p{MASK}", "ping"]),
        (["vault", "token", "lookup"], ["vault", "token", "lookup"]),
        (["tar", "-p", "x"], ["tar", "-p", "x"]),
        ([], []),
    ],
)
def test_an_argument_vector_is_shown_without_its_secrets(
    arguments: list[str], shown: list[str]
) -> None:
    assert mask_args(arguments) == shown


@given(st.lists(st.text(st.sampled_from("ab -=:\"'/@.,;&\\\n"), max_size=12), max_size=5))
def test_masking_keeps_the_number_of_arguments(arguments: list[str]) -> None:
    assert len(mask_args(arguments)) == len(arguments)


@given(st.text())
def test_masking_twice_changes_nothing_more(text: str) -> None:
    assert mask_text(mask_text(text)) == mask_text(text)


@pytest.mark.parametrize(
    "part", ["a", "a-", "eyJ-", "a,", "mysql ", "://", "basic ", '"a', "a.", "p="]
)
def test_long_hostile_text_is_masked_in_linear_time(part: str) -> None:
    text = part * (200_000 // len(part))
    assert mask_command(text) == text
    assert mask("note", text) == text
