-- Runs once, when the server's volume is still empty. The application's login is no superuser and owns nothing;
-- `parley migrate` makes the other roles, which can log in nowhere, and gives this one its rights.
\getenv password POSTGRES_APP_PASSWORD
CREATE ROLE parley_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'password';
