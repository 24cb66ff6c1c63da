"""Who may sign in, and what happens when people come, change and go."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import bcrypt
import pytest
from django.contrib.auth import authenticate, get_user
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import services
from accounts.models import OneTimeToken, Seller, Subscription, User, UserIdentity, UserSession
from accounts.models.credentials import TokenPurpose
from accounts.models.users import Role, UserStatus
from accounts.queries import administrators_with_known_password, known_password_warnings
from accounts.services.people import EmailTaken, LastAdministrator, NotPermitted, OwnAccount, WrongState
from accounts.services.tokens import TokenRefused
from accounts.signals import user_leaving
from analytics.models import AuditLog
from analytics.settings import set_setting
from config.db.errors import Refused
from inventory.models import Part, Vehicle
from leads.models import LeadNote, VoucherRedemption
from tests.builders import (
    NOON,
    PASSWORD,
    make_language,
    make_lead,
    make_part,
    make_seller,
    make_user,
    make_voucher,
)
from tests.races import at_the_same_time, before_the_commit

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return make_user(Role.SUPER_ADMIN)


def facts() -> list[str]:
    return list(AuditLog.objects.order_by("id").values_list("event_type", flat=True))


class TestSignIn:
    def test_the_address_is_kept_trimmed_and_in_lower_case(self) -> None:
        make_user(email="  Anna@Example.ORG ")
        assert User.objects.get(email="ANNA@example.org").email == "anna@example.org"

    def test_an_address_in_other_case_is_taken(self) -> None:
        make_user(email="anna@example.org")
        with pytest.raises(IntegrityError), transaction.atomic():
            make_user(email="ANNA@EXAMPLE.ORG")
        assert User.objects.count() == 1

    def test_no_password_is_stored_in_clear(self) -> None:
        user = make_user(password=PASSWORD)
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM accounts_user WHERE id = %s", [user.pk])
            assert PASSWORD not in str(cursor.fetchall())

    @pytest.mark.parametrize("prefix", [b"2a", b"2b"])
    @pytest.mark.parametrize("cost", [10, 12])
    def test_an_imported_hash_works_and_is_rewritten_at_the_first_sign_in(self, prefix: bytes, cost: int) -> None:
        hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(cost, prefix)).decode()
        user = make_user()
        User.objects.filter(pk=user.pk).update(password=f"bcrypt${hashed}")

        assert authenticate(username=user.email, password="wrong") is None
        user.refresh_from_db()
        assert user.password.startswith("bcrypt$")

        assert authenticate(username=user.email, password=PASSWORD) == user
        user.refresh_from_db()
        assert user.password.startswith("pbkdf2_sha256$")
        assert authenticate(username=user.email, password=PASSWORD) == user

    def test_a_password_longer_than_bcrypt_reads_is_wrong_and_no_error(self) -> None:
        hashed = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
        user = make_user()
        User.objects.filter(pk=user.pk).update(password=f"bcrypt${hashed}")
        assert authenticate(username=user.email, password="x" * 73) is None

    def test_without_a_password_the_answer_is_that_of_a_wrong_one(self) -> None:
        without, with_one = make_user(), make_user(password=PASSWORD)
        assert not without.has_usable_password()

        def answer(user: User) -> Any:
            form = AuthenticationForm(None, {"username": user.email, "password": "Wrong-horse-7"})
            assert not form.is_valid()
            return form.errors

        assert answer(without) == answer(with_one)

    def test_signing_in_notes_the_time_and_a_failure_does_not(self) -> None:
        user = make_user(Role.ADMIN, password=PASSWORD)
        client = Client()
        client.post("/admin/login/", {"username": user.email, "password": "wrong"})
        user.refresh_from_db()
        assert user.last_login is None

        before = timezone.now()
        client.post("/admin/login/", {"username": user.email.upper(), "password": PASSWORD})
        user.refresh_from_db()
        assert user.last_login is not None
        assert before <= user.last_login <= timezone.now()

    def test_an_unverified_address_is_let_in_unless_the_setting_says_otherwise(self) -> None:
        user = make_user(Role.ADMIN, password=PASSWORD)
        assert authenticate(username=user.email, password=PASSWORD) == user
        set_setting("security.email_verification_required", True)
        assert authenticate(username=user.email, password=PASSWORD) is None
        services.verify_email(user=user)
        assert authenticate(username=user.email, password=PASSWORD) == user

    def test_requiring_a_verified_address_leaves_open_sessions_and_new_super_administrators_in(self) -> None:
        user = make_user(Role.ADMIN)
        client = Client()
        client.force_login(user)
        set_setting("security.email_verification_required", True)
        assert is_signed_in(client, user)
        boss = User.objects.create_superuser("boss@example.org", PASSWORD, name="Boss")
        assert authenticate(username=boss.email, password=PASSWORD) == boss

    @pytest.mark.parametrize("close", [services.suspend_user, services.ban_user])
    def test_who_is_kept_out_cannot_sign_in_and_open_sessions_end(self, close: Any, boss: User) -> None:
        user = make_user(Role.ADMIN, password=PASSWORD)
        session = make_session(user)
        client = Client()
        client.force_login(user)
        assert is_signed_in(client, user)

        close(user=user, actor=boss, now=NOON)

        assert not user.is_active
        assert authenticate(username=user.email, password=PASSWORD) is None
        assert not is_signed_in(client, user)
        session.refresh_from_db()
        assert session.revoked_at == NOON

        services.reactivate_user(user=user, actor=boss)
        assert authenticate(username=user.email, password=PASSWORD) == user
        assert not is_signed_in(client, user), "the old cookie must not come back to life"

    @pytest.mark.parametrize(
        "rival",
        [
            lambda user: services.suspend_user(user=user),
            lambda user: services.delete_user(user=user),
            lambda user: services.set_role(user=user, role=Role.VIEWER),
            lambda user: services.set_role(user=user, role=Role.SUPER_ADMIN),
        ],
        ids=["suspended", "deleted", "demoted", "promoted"],
    )
    def test_what_is_decided_about_a_person_while_they_sign_in_stands(self, rival: Any) -> None:
        user = make_user(Role.ADMIN, password=PASSWORD)
        signing_in = authenticate(username=user.email, password=PASSWORD)
        assert isinstance(signing_in, User)
        rival(user)
        decided = User.all_objects.get(pk=user.pk)

        client = Client()
        client.force_login(signing_in)
        signing_in.set_password(PASSWORD)
        signing_in.save(update_fields=["password"])

        stored = User.all_objects.get(pk=user.pk)
        assert stored.last_login is not None
        assert (stored.role, stored.status, stored.deleted_at) == (decided.role, decided.status, decided.deleted_at)
        assert (stored.is_active, stored.is_staff, stored.is_superuser) == (
            decided.is_active,
            decided.is_staff,
            decided.is_superuser,
        )

    @pytest.mark.parametrize(("field", "value"), [("role", Role.SUPER_ADMIN), ("status", UserStatus.BANNED)])
    def test_a_field_that_is_saved_alone_takes_along_what_follows_from_it(self, field: str, value: str) -> None:
        user = make_user()
        setattr(user, field, value)
        user.save(update_fields=[field])
        user.refresh_from_db()
        assert getattr(user, field) == value

    def test_closing_and_reopening_are_audited_with_old_and_new_state(self, boss: User) -> None:
        user = make_user()
        services.suspend_user(user=user, actor=boss)
        entry = AuditLog.objects.get(event_type="USER_SUSPENDED")
        assert (entry.action, entry.actor, entry.changes) == (
            "status_change",
            boss,
            {"status": ["active", "suspended"]},
        )
        services.reactivate_user(user=user, actor=boss)
        assert AuditLog.objects.get(event_type="USER_REACTIVATED").changes == {"status": ["suspended", "active"]}

    def test_a_state_that_is_there_already_is_refused(self, boss: User) -> None:
        user = make_user()
        with pytest.raises(WrongState):
            services.reactivate_user(user=user, actor=boss)
        services.ban_user(user=user, actor=boss)
        with pytest.raises(WrongState, match="banned already"):
            services.ban_user(user=user, actor=boss)


def make_session(user: User) -> UserSession:
    number = UserSession.objects.count()
    return UserSession.objects.create(
        user=user, kind="api", access_token_hash=f"{number:064}", expires_at=NOON + timedelta(days=30)
    )


def is_signed_in(client: Client, user: User) -> bool:
    request = HttpRequest()
    request.session = client.session
    return get_user(request) == user


class TestPasswords:
    def test_the_shortest_one_that_is_accepted_is_a_setting(self) -> None:
        validate_password("plum-8-x")
        set_setting("security.password_min_length", 20)
        with pytest.raises(ValidationError, match="at least 20 characters"):
            validate_password("plum-8-x-and-a-pear")
        validate_password("plum-8-x-and-a-pear-")
        assert "Your password must contain at least 20 characters." in password_validators_help_texts()


class TestVerification:
    def test_verifying_sets_both_facts_and_activates_who_registered(self) -> None:
        user = make_user(status=UserStatus.UNCONFIRMED)
        services.verify_email(user=user, now=NOON)
        user.refresh_from_db()
        assert (user.is_verified, user.email_verified_at, user.status) == (True, NOON, UserStatus.ACTIVE)

    def test_verifying_does_not_let_a_suspended_person_in(self) -> None:
        user = make_user(status=UserStatus.SUSPENDED)
        services.verify_email(user=user)
        assert (user.is_verified, user.status, user.is_active) == (True, UserStatus.SUSPENDED, False)

    def test_verifying_twice_is_refused(self) -> None:
        user = make_user()
        services.verify_email(user=user)
        with pytest.raises(WrongState):
            services.verify_email(user=user)

    @pytest.mark.parametrize("fields", [None, ["email"]])
    def test_another_address_clears_both_facts_whoever_saves_it(self, fields: list[str] | None) -> None:
        user = make_user()
        services.verify_email(user=user)
        user.email = "new@example.org"
        user.save(update_fields=fields)
        user.refresh_from_db()
        assert (user.is_verified, user.email_verified_at) == (False, None)

    def test_the_same_address_in_other_case_and_other_changes_clear_nothing(self) -> None:
        user = make_user(email="anna@example.org")
        services.verify_email(user=user)
        user.email, user.name = " ANNA@example.org", "Anna Other"
        user.save()
        user.refresh_from_db()
        assert (user.is_verified, user.name) == (True, "Anna Other")

    def test_a_link_verifies_the_address_once(self) -> None:
        user = make_user()
        token = services.issue_token(purpose=TokenPurpose.VERIFY_EMAIL, email=user.email, user=user, now=NOON)
        assert services.confirm_email(token=token, now=NOON).is_verified
        with pytest.raises(TokenRefused):
            services.confirm_email(token=token, now=NOON)

    def test_a_link_to_an_address_that_was_changed_since_is_refused(self) -> None:
        user = make_user()
        token = services.issue_token(purpose=TokenPurpose.VERIFY_EMAIL, email=user.email, user=user, now=NOON)
        user.email = "new@example.org"
        user.save()
        with pytest.raises(TokenRefused):
            services.confirm_email(token=token, now=NOON)
        user.refresh_from_db()
        assert not user.is_verified


class TestTokens:
    def test_only_a_hash_is_kept(self) -> None:
        token = services.issue_token(purpose=TokenPurpose.MAGIC_LINK, email="anna@example.org")
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM accounts_onetimetoken")
            assert token not in str(cursor.fetchall())

    def test_a_reset_link_lives_a_day(self) -> None:
        user = make_user(password=PASSWORD)
        token = services.issue_token(purpose=TokenPurpose.RESET_PASSWORD, email=user.email, user=user, now=NOON)
        with pytest.raises(TokenRefused):
            services.reset_password(token=token, password="Another-horse-8", now=NOON + timedelta(hours=24))
        services.reset_password(
            token=token, password="Another-horse-8", now=NOON + timedelta(hours=24) - timedelta(seconds=1)
        )
        assert authenticate(username=user.email, password="Another-horse-8") == user

    def test_resetting_ends_all_sessions(self) -> None:
        user = make_user(password=PASSWORD)
        session = make_session(user)
        token = services.issue_token(purpose=TokenPurpose.RESET_PASSWORD, email=user.email, user=user, now=NOON)
        services.reset_password(token=token, password="Another-horse-8", now=NOON)
        session.refresh_from_db()
        assert session.revoked_at == NOON

    def test_resetting_ends_every_other_link_that_lets_somebody_in(self) -> None:
        user, other = make_user(password=PASSWORD), make_user()

        def link(purpose: TokenPurpose, user: User | None, email: str) -> str:
            return services.issue_token(purpose=purpose, email=email, user=user, now=NOON)

        older = link(TokenPurpose.RESET_PASSWORD, user, user.email)
        ended = [link(TokenPurpose.MAGIC_LINK, user, user.email), link(TokenPurpose.MAGIC_LINK, None, user.email)]
        confirming = link(TokenPurpose.VERIFY_EMAIL, user, user.email)
        of_somebody_else = link(TokenPurpose.MAGIC_LINK, other, other.email)
        newest = link(TokenPurpose.RESET_PASSWORD, user, user.email)

        services.reset_password(token=newest, password="Another-horse-8", now=NOON)

        with pytest.raises(TokenRefused):
            services.reset_password(token=older, password="A-thief's-horse-9", now=NOON)
        for token in ended:
            with pytest.raises(TokenRefused):
                services.use_token(purpose=TokenPurpose.MAGIC_LINK, token=token, now=NOON)
        services.use_token(purpose=TokenPurpose.MAGIC_LINK, token=of_somebody_else, now=NOON)
        assert services.confirm_email(token=confirming, now=NOON) == user
        assert authenticate(username=user.email, password="Another-horse-8") == user

    def test_a_weak_password_leaves_the_link_usable(self) -> None:
        user = make_user(password=PASSWORD)
        token = services.issue_token(purpose=TokenPurpose.RESET_PASSWORD, email=user.email, user=user, now=NOON)
        with pytest.raises(Exception, match="too short"):
            services.reset_password(token=token, password="x", now=NOON)
        assert OneTimeToken.objects.get().used_at is None

    def test_a_link_of_one_purpose_serves_no_other(self) -> None:
        user = make_user()
        token = services.issue_token(purpose=TokenPurpose.VERIFY_EMAIL, email=user.email, user=user, now=NOON)
        with pytest.raises(TokenRefused):
            services.reset_password(token=token, password="Another-horse-8", now=NOON)

    def test_a_banned_person_cannot_use_a_link(self) -> None:
        user = make_user()
        token = services.issue_token(purpose=TokenPurpose.RESET_PASSWORD, email=user.email, user=user, now=NOON)
        services.ban_user(user=user)
        with pytest.raises(TokenRefused):
            services.reset_password(token=token, password="Another-horse-8", now=NOON)

    @pytest.mark.django_db(transaction=True)
    def test_of_two_who_use_a_link_at_once_one_succeeds(self) -> None:
        token = services.issue_token(purpose=TokenPurpose.MAGIC_LINK, email="anna@example.org", now=NOON)
        results = at_the_same_time(
            lambda: services.use_token(purpose=TokenPurpose.MAGIC_LINK, token=token, now=NOON), times=2
        )
        assert sorted(type(result).__name__ for result in results) == ["OneTimeToken", "TokenRefused"]

    def test_identity_tokens_are_encrypted_in_the_database(self) -> None:
        UserIdentity.objects.create(
            user=make_user(), provider="google", provider_account_id="1", access_token="ya29.secret"
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT access_token FROM accounts_useridentity")
            (stored,) = cursor.fetchone()
        assert "secret" not in stored
        assert UserIdentity.objects.get().access_token == "ya29.secret"

    def test_ending_one_session_leaves_the_others(self) -> None:
        user = make_user()
        one, other = make_session(user), make_session(user)
        services.end_session(session=one, now=NOON)
        other.refresh_from_db()
        assert (one.revoked_at, other.revoked_at) == (NOON, None)
        with pytest.raises(Refused, match="ended already"):
            services.end_session(session=one)


class TestRoles:
    def test_a_role_brings_its_rights_and_is_audited(self, boss: User) -> None:
        user = make_user()
        services.set_role(user=user, role=Role.VIEWER, actor=boss)
        assert (user.role, user.is_staff, user.is_superuser) == (Role.VIEWER, True, False)
        assert AuditLog.objects.get(event_type="USER_ROLE_CHANGED").changes == {"role": ["BUYER", "VIEWER"]}

    def test_only_a_super_administrator_may(self) -> None:
        user = make_user()
        with pytest.raises(NotPermitted):
            services.set_role(user=user, role=Role.ADMIN, actor=make_user(Role.ADMIN))
        user.refresh_from_db()
        assert user.role == Role.BUYER

    def test_nobody_changes_the_own_role_or_closes_the_own_account(self, boss: User) -> None:
        make_user(Role.SUPER_ADMIN)
        for attempt in (
            lambda: services.set_role(user=boss, role=Role.ADMIN, actor=boss),
            lambda: services.suspend_user(user=boss, actor=boss),
            lambda: services.delete_user(user=boss, actor=boss),
            lambda: services.remove_user_for_good(user=boss, actor=boss),
        ):
            with pytest.raises(OwnAccount):
                attempt()
        boss.refresh_from_db()
        assert (boss.role, boss.is_active) == (Role.SUPER_ADMIN, True)

    def test_the_last_super_administrator_stays(self, boss: User) -> None:
        for attempt in (
            lambda: services.set_role(user=boss, role=Role.ADMIN),
            lambda: services.ban_user(user=boss),
            lambda: services.delete_user(user=boss),
            lambda: services.remove_user_for_good(user=boss),
        ):
            with pytest.raises(LastAdministrator):
                attempt()
        assert User.objects.filter(role=Role.SUPER_ADMIN, is_active=True).count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_two_who_demote_each_other_leave_one(self) -> None:
        one, other = make_user(Role.SUPER_ADMIN), make_user(Role.SUPER_ADMIN)
        result = before_the_commit(
            lambda: services.set_role(user=one, role=Role.ADMIN),
            lambda: services.set_role(user=other, role=Role.ADMIN),
        )
        assert isinstance(result, LastAdministrator)
        assert User.objects.filter(role=Role.SUPER_ADMIN).count() == 1


class TestDeleting:
    def test_a_deleted_person_and_their_sellers_are_hidden_and_come_back(self, boss: User) -> None:
        seller = make_seller()
        user = seller.owner
        email = user.email
        hidden_before = make_seller(owner=user)
        services.delete_seller(seller=hidden_before, now=NOON - timedelta(days=1))

        services.delete_user(user=user, actor=boss, now=NOON)
        assert not User.objects.filter(pk=user.pk).exists()
        assert User.all_objects.get(pk=user.pk).deleted_at == NOON
        assert not Seller.objects.filter(owner=user).exists()
        assert authenticate(username=email, password=PASSWORD) is None

        services.restore_user(user=user, actor=boss)
        assert (user.email, user.deleted_at, user.is_active) == (email, None, True)
        assert list(Seller.objects.filter(owner=user)) == [seller]

    def test_what_becomes_of_their_sellers_is_audited_with_each(self, boss: User) -> None:
        seller = make_seller()
        services.delete_user(user=seller.owner, actor=boss, now=NOON)
        services.restore_user(user=seller.owner, actor=boss)
        entries = AuditLog.objects.filter(seller=seller).order_by("id")
        assert [(entry.event_type, entry.actor) for entry in entries] == [
            ("SELLER_DELETED", boss),
            ("SELLER_RESTORED", boss),
        ]

    def test_a_seller_that_cannot_come_back_keeps_the_person_away(self, boss: User) -> None:
        seller = make_seller(name_key="seller.karoo")
        services.delete_user(user=seller.owner, actor=boss)
        rival = make_seller(name_key="seller.karoo")
        with pytest.raises(Refused, match=r"seller\.karoo"):
            services.restore_user(user=seller.owner, actor=boss)
        assert User.all_objects.get(pk=seller.owner_id).deleted_at is not None
        Seller.objects.filter(pk=rival.pk).update(name_key=None)
        services.restore_user(user=seller.owner, actor=boss)
        assert Seller.objects.get(pk=seller.pk).deleted_at is None

    def test_two_sellers_do_not_come_back_where_each_person_may_own_one(self, boss: User, settings: Settings) -> None:
        owner = make_user(Role.SELLER)
        for _ in range(2):
            make_seller(owner=owner)
        services.delete_user(user=owner, actor=boss)
        settings.ACCOUNTS_ONE_SELLER_PER_USER = True
        with pytest.raises(Refused, match="one only"):
            services.restore_user(user=owner, actor=boss)
        assert not Seller.objects.filter(owner=owner).exists()

    def test_who_was_anonymized_does_not_come_back(self, boss: User) -> None:
        seller = make_seller()
        services.delete_user(user=seller.owner, actor=boss, now=NOON)
        services.anonymize_users(users=[seller.owner_id], now=NOON)
        person = User.all_objects.get(pk=seller.owner_id)
        with pytest.raises(WrongState, match="anonymized"):
            services.restore_user(user=person, actor=boss)
        person.refresh_from_db(from_queryset=User.all_objects.all())
        assert person.deleted_at == NOON
        assert not Seller.objects.exists()

    def test_deleting_and_restoring_leave_the_address_verified(self, boss: User) -> None:
        user = make_user()
        services.verify_email(user=user)
        services.delete_user(user=user, actor=boss)
        services.restore_user(user=user, actor=boss)
        assert user.is_verified

    def test_the_address_can_register_again_and_then_blocks_the_return(self, boss: User) -> None:
        user = make_user(email="anna@example.org")
        services.delete_user(user=user, actor=boss)
        make_user(email="anna@example.org")
        with pytest.raises(EmailTaken, match=r"anna@example\.org"):
            services.restore_user(user=user, actor=boss)
        assert User.all_objects.get(pk=user.pk).deleted_at is not None

    def test_deleting_twice_and_restoring_the_living_are_refused(self, boss: User) -> None:
        user = make_user()
        with pytest.raises(WrongState):
            services.restore_user(user=user, actor=boss)
        services.delete_user(user=user, actor=boss)
        with pytest.raises(WrongState):
            services.delete_user(user=user, actor=boss)

    def test_an_app_above_can_refuse(self, boss: User) -> None:
        user = make_user(Role.ADMIN)

        def needed(sender: Any, user: User, **kwargs: Any) -> None:
            raise Refused(f"{user} has open leads.")

        user_leaving.connect(needed)
        try:
            for attempt in (services.suspend_user, services.delete_user, services.remove_user_for_good):
                with pytest.raises(Refused, match="open leads"):
                    attempt(user=user, actor=boss)
        finally:
            user_leaving.disconnect(needed)
        user.refresh_from_db()
        assert user.is_active


class TestRemovingForGood:
    def test_takes_along_what_is_theirs(self, boss: User) -> None:
        part = make_part()
        user = part.seller.owner
        make_session(user)
        Subscription.objects.create(user=user, start_date=NOON)
        UserIdentity.objects.create(user=user, provider="clerk", provider_account_id="c1")
        services.issue_token(purpose=TokenPurpose.MAGIC_LINK, email=user.email, user=user)

        services.remove_user_for_good(user=user, actor=boss)

        assert list(User.all_objects.all()) == [boss]
        for stock in (Seller, Vehicle, Part):
            assert not stock.all_objects.exists()
        for credential in (UserSession, Subscription, UserIdentity, OneTimeToken):
            assert not credential.objects.exists()

    def test_leaves_audit_entries_notes_and_redemptions_with_the_name(self, boss: User) -> None:
        user = make_user(Role.ADMIN, name="Anna Aho")
        services.verify_seller(seller=make_seller(is_verified=False), actor=user)
        LeadNote.objects.create(lead=make_lead(), author=user, text="Called.")
        VoucherRedemption.objects.create(voucher=make_voucher(), user=user)

        services.remove_user_for_good(user=user, actor=boss)

        entry = AuditLog.objects.get(event_type="SELLER_VERIFIED")
        assert entry.actor is None
        assert "Anna Aho" in entry.actor_label
        note = LeadNote.objects.get()
        assert (note.author, note.author_label) == (None, "Anna Aho")
        redemption = VoucherRedemption.objects.get()
        assert (redemption.user, redemption.user_label) == (None, "Anna Aho")
        assert "USER_REMOVED" in facts()

    def test_only_a_super_administrator_may(self) -> None:
        user = make_user()
        with pytest.raises(NotPermitted):
            services.remove_user_for_good(user=user, actor=make_user(Role.ADMIN))
        assert User.objects.filter(pk=user.pk).exists()


class TestKnownPasswords:
    def test_administrators_with_one_are_found_whichever_way_it_is_hashed(self) -> None:
        hashed = bcrypt.hashpw(b"admin123", bcrypt.gensalt(4)).decode()
        imported = make_user(Role.SUPER_ADMIN, email="old@example.org")
        User.objects.filter(pk=imported.pk).update(password=f"bcrypt${hashed}")
        careless = make_user(Role.ADMIN, password="admin123")
        make_user(Role.ADMIN, password=PASSWORD)
        make_user(Role.ADMIN)
        make_user(Role.BUYER, password="admin123")
        make_user(Role.ADMIN, password="admin123", is_active=False, status=UserStatus.SUSPENDED)

        assert administrators_with_known_password() == [imported, careless]
        imported.refresh_from_db()
        assert imported.password == f"bcrypt${hashed}"

    def test_an_operator_is_told_how_to_change_it(self) -> None:
        make_user(Role.ADMIN, email="old@example.org", password="admin123")
        (sentence,) = known_password_warnings()
        assert "`manage.py changepassword old@example.org`" in sentence
        assert "admin123" not in sentence


class TestPreferences:
    def test_are_made_once_with_the_default_language(self) -> None:
        make_language("en")
        make_language("fi", is_default=True)
        user = make_user()
        preference = services.preferences_of(user)
        assert (preference.theme, preference.language_id, preference.notifications_enabled) == ("light", "fi", True)
        assert services.preferences_of(user) == preference

    def test_an_inactive_language_is_not_accepted(self) -> None:
        make_language("en")
        preference = services.preferences_of(make_user())
        preference.language = make_language("gn", is_active=False)
        with pytest.raises(Exception, match="language"):
            preference.full_clean()
