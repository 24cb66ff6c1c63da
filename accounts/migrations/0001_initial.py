import accounts.validators
import config.db.fields
import config.db.ids
import config.db.iso
import config.db.operations
import config.db.words
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models

from config.db.migrations import FirstMigration


class Migration(FirstMigration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('public_id', models.CharField(default=config.db.ids.new_ulid, editable=False, help_text='The name of this row in links and in the API.', max_length=36, verbose_name='public id')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='updated')),
                ('deleted_at', models.DateTimeField(blank=True, db_index=True, editable=False, null=True, verbose_name='deleted')),
                ('hold', models.CharField(blank=True, choices=[('legal_hold', 'Legal hold'), ('dispute', 'Dispute')], db_default='', default='', editable=False, help_text='While there is one, the row is neither archived nor anonymized.', max_length=12)),
                ('email', config.db.fields.LowerEmailField(error_messages={'unique': 'A user with this e-mail address already exists.'}, max_length=254, unique=True, verbose_name='e-mail')),
                ('name', models.CharField(blank=True, default='', max_length=200, verbose_name='full name')),
                ('first_name', models.CharField(blank=True, default='', max_length=150)),
                ('last_name', models.CharField(blank=True, default='', max_length=150)),
                ('phone', models.CharField(blank=True, default='', help_text='With country code, such as +358 40 1234567.', max_length=50, validators=[accounts.validators.validate_telephone])),
                ('phone_verified', models.BooleanField(default=False)),
                ('avatar_url', models.URLField(blank=True, default='', max_length=1000, verbose_name='avatar')),
                ('date_of_birth', models.DateField(blank=True, null=True, validators=[accounts.validators.validate_birth_date])),
                ('role', models.CharField(choices=[('SUPER_ADMIN', 'Super administrator'), ('ADMIN', 'Administrator'), ('VIEWER', 'Viewer'), ('SELLER', 'Seller'), ('BUYER', 'Buyer')], default='BUYER', help_text='Decides what the person may see and do in the back office.', max_length=16)),
                ('status', models.CharField(choices=[('unconfirmed', 'Unconfirmed'), ('active', 'Active'), ('suspended', 'Suspended'), ('banned', 'Banned')], default='unconfirmed', help_text='Suspended and banned people cannot sign in, and their open sessions end at once.', max_length=16)),
                ('is_verified', models.BooleanField(default=False, editable=False, verbose_name='verified')),
                ('email_verified_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='e-mail verified')),
                ('is_active', models.BooleanField(default=True, editable=False, verbose_name='may sign in')),
                ('is_staff', models.BooleanField(default=False, editable=False, verbose_name='back office')),
                ('email_before_delete', config.db.fields.LowerEmailField(blank=True, default='', editable=False, max_length=254, verbose_name='e-mail before deletion')),
                ('anonymized_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='anonymized')),
                ('sessions_ended_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='sessions ended')),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'ordering': ['-created_at', '-id'],
                'indexes': [models.Index(fields=['role', 'created_at', 'id'], name='user_role'), models.Index(fields=['status', 'created_at', 'id'], name='user_status'), models.Index(fields=['is_verified', 'created_at', 'id'], name='user_verified'), models.Index(fields=['last_login'], name='user_last_login'), models.Index(fields=['phone'], name='user_phone'), models.Index(fields=['-created_at'], name='user_created'), config.db.words.WordIndex(config.db.words.Words('name', 'email', 'phone'), name='user_words')],
                'constraints': [models.UniqueConstraint(fields=('public_id',), name='user_public_id_unique', violation_error_message='This public id is already in use.'), models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='user_email_any_case_unique', violation_error_message='A user with this e-mail address already exists.'), models.CheckConstraint(condition=models.Q(('role__in', ['SUPER_ADMIN', 'ADMIN', 'VIEWER', 'SELLER', 'BUYER'])), name='user_role_valid', violation_error_message='Choose one of the offered values for role.'), models.CheckConstraint(condition=models.Q(('status__in', ['unconfirmed', 'active', 'suspended', 'banned'])), name='user_status_valid', violation_error_message='Choose one of the offered values for status.'), models.CheckConstraint(condition=models.Q(('hold__in', ['', 'legal_hold', 'dispute'])), name='user_hold_valid', violation_error_message='Choose one of the offered values for hold.'), models.CheckConstraint(condition=models.Q(models.Q(('is_staff', True), ('role__in', ('SUPER_ADMIN', 'ADMIN', 'VIEWER', 'SELLER'))), models.Q(('is_staff', False), models.Q(('role__in', ('SUPER_ADMIN', 'ADMIN', 'VIEWER', 'SELLER')), _negated=True)), _connector='OR'), name='user_staff_follows_role', violation_error_message='Only people with a back office role are staff.'), models.CheckConstraint(condition=models.Q(models.Q(('is_superuser', True), ('role', 'SUPER_ADMIN')), models.Q(('is_superuser', False), models.Q(('role', 'SUPER_ADMIN'), _negated=True)), _connector='OR'), name='user_superuser_follows_role', violation_error_message='Exactly the super administrators are superusers.'), models.CheckConstraint(condition=models.Q(('is_active', False), models.Q(('anonymized_at__isnull', True), ('deleted_at__isnull', True), ('status__in', ('unconfirmed', 'active'))), _connector='OR'), name='user_inactive_when_closed', violation_error_message='A suspended, banned, deleted or anonymized person cannot be active.')],
            },
        ),
        migrations.CreateModel(
            name='Integration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='updated')),
                ('service', models.CharField(help_text='Such as algolia, cloudinary, clerk or partpal.', max_length=50)),
                ('external_id', models.CharField(max_length=255, verbose_name='id in the service')),
                ('object_id', models.CharField(blank=True, max_length=64, null=True, verbose_name='row')),
                ('internal_id', models.CharField(blank=True, default='', help_text='As the source gave it, where the row could not be found.', max_length=64)),
                ('metadata', models.JSONField(blank=True, null=True)),
                ('content_type', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, to='contenttypes.contenttype', verbose_name='kind of row')),
            ],
            options={
                'ordering': ['service', 'external_id'],
                'indexes': [models.Index(fields=['external_id'], name='integration_external'), models.Index(fields=['content_type', 'object_id'], name='integration_target')],
                'constraints': [models.UniqueConstraint(fields=('service', 'external_id'), name='integration_service_external_unique', violation_error_message='The service has this id on record already.')],
            },
        ),
        migrations.CreateModel(
            name='Language',
            fields=[
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='updated')),
                ('code', models.CharField(help_text='ISO 639-1, such as fi.', max_length=10, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('direction', models.CharField(choices=[('ltr', 'Left to right'), ('rtl', 'Right to left')], default='ltr', max_length=3)),
                ('is_default', models.BooleanField(default=False, help_text='Used where a text is missing in the asked language.', verbose_name='default')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
            ],
            options={
                'ordering': ['code'],
                'constraints': [models.CheckConstraint(condition=models.Q(('direction__in', ['ltr', 'rtl'])), name='language_direction_valid', violation_error_message='Choose one of the offered values for direction.'), models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='language_single_default', violation_error_message='Another language is the default already.')],
            },
        ),
        migrations.CreateModel(
            name='OneTimeToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('magic_link', 'Magic link'), ('verify_email', 'Verify e-mail'), ('reset_password', 'Reset password')], max_length=20)),
                ('token_hash', models.CharField(editable=False, max_length=64)),
                ('email', config.db.fields.LowerEmailField(max_length=254, verbose_name='e-mail')),
                ('expires_at', models.DateTimeField(verbose_name='expires')),
                ('used_at', models.DateTimeField(blank=True, null=True, verbose_name='used')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('ip_address', models.GenericIPAddressField(blank=True, null=True, verbose_name='IP address')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='one_time_tokens', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'one-time token',
                'ordering': ['-created_at', '-id'],
                'indexes': [models.Index(fields=['email', 'purpose'], name='token_email_purpose'), models.Index(fields=['expires_at'], name='token_expiry'), models.Index(fields=['-created_at'], name='token_newest'), models.Index(fields=['purpose', 'created_at', 'id'], name='token_purpose')],
                'constraints': [models.CheckConstraint(condition=models.Q(('purpose__in', ['magic_link', 'verify_email', 'reset_password'])), name='onetimetoken_purpose_valid', violation_error_message='Choose one of the offered values for purpose.'), models.UniqueConstraint(fields=('token_hash',), name='onetimetoken_hash_unique', violation_error_message='This token exists already.')],
            },
        ),
        migrations.CreateModel(
            name='PaymentEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', models.CharField(max_length=30)),
                ('event_id', models.CharField(max_length=255, verbose_name='event')),
                ('type', models.CharField(max_length=100)),
                ('payload', models.JSONField(default=dict)),
                ('received_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='received')),
                ('processed_at', models.DateTimeField(blank=True, null=True, verbose_name='processed')),
                ('error', models.TextField(blank=True, default='')),
            ],
            options={
                'ordering': ['-received_at', '-id'],
                'indexes': [models.Index(fields=['-received_at'], name='payment_event_received'), models.Index(fields=['event_id'], name='payment_event_id')],
                'constraints': [models.UniqueConstraint(fields=('provider', 'event_id'), name='paymentevent_event_unique', violation_error_message='This event of the provider is recorded already.')],
            },
        ),
        migrations.CreateModel(
            name='Seller',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=config.db.ids.new_ulid, editable=False, help_text='The name of this row in links and in the API.', max_length=36, verbose_name='public id')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='updated')),
                ('deleted_at', models.DateTimeField(blank=True, db_index=True, editable=False, null=True, verbose_name='deleted')),
                ('name', models.CharField(max_length=200)),
                ('name_key', models.CharField(blank=True, help_text='Translation key of the name, where it differs by language.', max_length=255, null=True)),
                ('description', models.TextField(blank=True, default='')),
                ('description_key', models.CharField(blank=True, help_text='Translation key of the description.', max_length=255, null=True)),
                ('business_type', models.CharField(choices=[('SCRAP_YARD', 'Scrap yard'), ('DISMANTLER', 'Dismantler'), ('PRIVATE', 'Private'), ('DEALER', 'Dealer'), ('MOBILE_VENDOR', 'Mobile vendor'), ('SERVICE', 'Service')], default='PRIVATE', max_length=20)),
                ('plan', models.CharField(choices=[('STARTER', 'Starter'), ('PROFESSIONAL', 'Professional'), ('ENTERPRISE', 'Enterprise')], default='STARTER', max_length=16)),
                ('phone', models.CharField(blank=True, default='', max_length=50)),
                ('email', config.db.fields.LowerEmailField(blank=True, default='', max_length=254, verbose_name='e-mail')),
                ('whatsapp', models.CharField(blank=True, default='', max_length=50, verbose_name='WhatsApp')),
                ('website', models.URLField(blank=True, default='', max_length=255)),
                ('street', models.CharField(blank=True, default='', max_length=255)),
                ('city', models.CharField(blank=True, default='', max_length=100)),
                ('province', models.CharField(blank=True, default='', max_length=100)),
                ('postal_code', models.CharField(blank=True, default='', max_length=20)),
                ('country', config.db.fields.UpperCharField(default='ZA', help_text='Two letters (ISO 3166), such as ZA or FI.', max_length=2, validators=[config.db.iso.validate_country])),
                ('latitude', models.FloatField(blank=True, help_text='Degrees, WGS 84. Give both or neither.', null=True)),
                ('longitude', models.FloatField(blank=True, help_text='Degrees, WGS 84.', null=True)),
                ('service_area', models.JSONField(blank=True, help_text='GeoJSON polygon of the area served.', null=True, validators=[accounts.validators.validate_polygon])),
                ('business_hours', models.JSONField(blank=True, help_text='The seven days with isOpen, openTime and closeTime.', null=True, validators=[accounts.validators.validate_business_hours])),
                ('timezone', models.CharField(default='Africa/Johannesburg', max_length=64, validators=[accounts.validators.validate_timezone], verbose_name='time zone')),
                ('primary_image_url', models.CharField(blank=True, default='', max_length=500, validators=[accounts.validators.validate_image_url], verbose_name='picture')),
                ('is_open', models.BooleanField(default=True, help_text='Whether the seller receives buyers at present.', verbose_name='open')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('is_verified', models.BooleanField(default=False, editable=False, verbose_name='verified')),
                ('verified_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='verified on')),
                ('rating', models.DecimalField(blank=True, decimal_places=2, help_text='0 to 5; empty while unrated.', max_digits=3, null=True)),
                ('total_sales', models.PositiveIntegerField(default=0, editable=False)),
                ('archived_sales', models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='Those of the sales whose parts lie in an archive.')),
                ('last_latitude', models.FloatField(blank=True, editable=False, null=True)),
                ('last_longitude', models.FloatField(blank=True, editable=False, null=True)),
                ('last_seen_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='last seen')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sellers', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at', '-id'],
                'indexes': [models.Index(fields=['name'], name='seller_name'), models.Index(fields=['business_type', 'created_at', 'id'], name='seller_business_type'), models.Index(fields=['is_verified', 'is_active'], name='seller_verified_active'), models.Index(fields=['city', 'province'], name='seller_city'), models.Index(fields=['rating'], name='seller_rating'), models.Index(fields=['plan', 'created_at', 'id'], name='seller_plan'), models.Index(fields=['is_active', 'created_at', 'id'], name='seller_active'), models.Index(fields=['is_open', 'created_at', 'id'], name='seller_open'), models.Index(fields=['-created_at'], name='seller_created'), models.Index(models.OrderBy(models.F('is_verified'), descending=True), models.OrderBy(django.db.models.functions.comparison.Coalesce('rating', -1), descending=True), models.OrderBy(models.F('total_sales'), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('deleted_at__isnull', True), ('is_active', True)), name='seller_best_first'), models.Index(condition=models.Q(('deleted_at__isnull', True), ('is_active', True)), fields=['province', 'city', 'is_verified'], name='seller_place'), models.Index(fields=['latitude', 'longitude'], name='seller_position'), models.Index(fields=['last_latitude', 'last_longitude'], name='seller_last_position'), config.db.words.WordIndex(config.db.words.Words('name'), name='seller_name_words'), config.db.words.WordIndex(config.db.words.Words('name', 'city', 'province', 'street', 'email', 'phone', 'description'), name='seller_words')],
                'constraints': [models.UniqueConstraint(fields=('public_id',), name='seller_public_id_unique', violation_error_message='This public id is already in use.'), models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('name_key',), name='seller_name_key_unique', violation_error_message='Another seller has this translation key.'), models.CheckConstraint(condition=models.Q(('business_type__in', ['SCRAP_YARD', 'DISMANTLER', 'PRIVATE', 'DEALER', 'MOBILE_VENDOR', 'SERVICE'])), name='seller_business_type_valid', violation_error_message='Choose one of the offered values for business type.'), models.CheckConstraint(condition=models.Q(('plan__in', ['STARTER', 'PROFESSIONAL', 'ENTERPRISE'])), name='seller_plan_valid', violation_error_message='Choose one of the offered values for plan.'), models.CheckConstraint(condition=models.Q(('country__in', ('AD', 'AE', 'AF', 'AG', 'AI', 'AL', 'AM', 'AO', 'AQ', 'AR', 'AS', 'AT', 'AU', 'AW', 'AX', 'AZ', 'BA', 'BB', 'BD', 'BE', 'BF', 'BG', 'BH', 'BI', 'BJ', 'BL', 'BM', 'BN', 'BO', 'BQ', 'BR', 'BS', 'BT', 'BV', 'BW', 'BY', 'BZ', 'CA', 'CC', 'CD', 'CF', 'CG', 'CH', 'CI', 'CK', 'CL', 'CM', 'CN', 'CO', 'CR', 'CU', 'CV', 'CW', 'CX', 'CY', 'CZ', 'DE', 'DJ', 'DK', 'DM', 'DO', 'DZ', 'EC', 'EE', 'EG', 'EH', 'ER', 'ES', 'ET', 'FI', 'FJ', 'FK', 'FM', 'FO', 'FR', 'GA', 'GB', 'GD', 'GE', 'GF', 'GG', 'GH', 'GI', 'GL', 'GM', 'GN', 'GP', 'GQ', 'GR', 'GS', 'GT', 'GU', 'GW', 'GY', 'HK', 'HM', 'HN', 'HR', 'HT', 'HU', 'ID', 'IE', 'IL', 'IM', 'IN', 'IO', 'IQ', 'IR', 'IS', 'IT', 'JE', 'JM', 'JO', 'JP', 'KE', 'KG', 'KH', 'KI', 'KM', 'KN', 'KP', 'KR', 'KW', 'KY', 'KZ', 'LA', 'LB', 'LC', 'LI', 'LK', 'LR', 'LS', 'LT', 'LU', 'LV', 'LY', 'MA', 'MC', 'MD', 'ME', 'MF', 'MG', 'MH', 'MK', 'ML', 'MM', 'MN', 'MO', 'MP', 'MQ', 'MR', 'MS', 'MT', 'MU', 'MV', 'MW', 'MX', 'MY', 'MZ', 'NA', 'NC', 'NE', 'NF', 'NG', 'NI', 'NL', 'NO', 'NP', 'NR', 'NU', 'NZ', 'OM', 'PA', 'PE', 'PF', 'PG', 'PH', 'PK', 'PL', 'PM', 'PN', 'PR', 'PS', 'PT', 'PW', 'PY', 'QA', 'RE', 'RO', 'RS', 'RU', 'RW', 'SA', 'SB', 'SC', 'SD', 'SE', 'SG', 'SH', 'SI', 'SJ', 'SK', 'SL', 'SM', 'SN', 'SO', 'SR', 'SS', 'ST', 'SV', 'SX', 'SY', 'SZ', 'TC', 'TD', 'TF', 'TG', 'TH', 'TJ', 'TK', 'TL', 'TM', 'TN', 'TO', 'TR', 'TT', 'TV', 'TW', 'TZ', 'UA', 'UG', 'UM', 'US', 'UY', 'UZ', 'VA', 'VC', 'VE', 'VG', 'VI', 'VN', 'VU', 'WF', 'WS', 'YE', 'YT', 'ZA', 'ZM', 'ZW'))), name='seller_country_valid', violation_error_message='A country is an ISO 3166 code, such as ZA or FI.'), models.CheckConstraint(condition=models.Q(models.Q(('latitude__isnull', False), ('longitude__isnull', False)), models.Q(('latitude__isnull', True), ('longitude__isnull', True)), _connector='OR'), name='seller_position_complete', violation_error_message='Give both latitude and longitude, or neither.'), models.CheckConstraint(condition=models.Q(('latitude__gte', -90), ('latitude__lte', 90)), name='seller_latitude_range', violation_error_message='Latitude lies between -90 and 90 degrees.'), models.CheckConstraint(condition=models.Q(('longitude__gte', -180), ('longitude__lte', 180)), name='seller_longitude_range', violation_error_message='Longitude lies between -180 and 180 degrees.'), models.CheckConstraint(condition=models.Q(models.Q(('last_latitude__isnull', False), ('last_longitude__isnull', False)), models.Q(('last_latitude__isnull', True), ('last_longitude__isnull', True)), _connector='OR'), name='seller_last_position_complete', violation_error_message='Give both latitude and longitude, or neither.'), models.CheckConstraint(condition=models.Q(('last_latitude__gte', -90), ('last_latitude__lte', 90)), name='seller_last_latitude_range', violation_error_message='Latitude lies between -90 and 90 degrees.'), models.CheckConstraint(condition=models.Q(('last_longitude__gte', -180), ('last_longitude__lte', 180)), name='seller_last_longitude_range', violation_error_message='Longitude lies between -180 and 180 degrees.'), models.CheckConstraint(condition=models.Q(('rating__gte', 0), ('rating__lte', 5)), name='seller_rating_range', violation_error_message='A rating lies between 0 and 5.'), models.CheckConstraint(condition=models.Q(('total_sales__gte', 0)), name='seller_total_sales_positive', violation_error_message='The number of sales cannot be negative.'), models.CheckConstraint(condition=models.Q(('archived_sales__gte', 0)), name='seller_archived_sales_positive', violation_error_message='The number of sales cannot be negative.')],
            },
        ),
        migrations.CreateModel(
            name='SellerLocation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('latitude', models.FloatField(help_text='Degrees, WGS 84.')),
                ('longitude', models.FloatField(help_text='Degrees, WGS 84.')),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='recorded')),
                ('accuracy_m', models.FloatField(blank=True, null=True, verbose_name='accuracy (m)')),
                ('source', models.CharField(choices=[('gps', 'GPS'), ('manual', 'Manual'), ('import', 'Import')], default='gps', max_length=10)),
                ('seller', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='locations', to='accounts.seller')),
            ],
            options={
                'verbose_name': 'location',
                'ordering': ['-recorded_at', '-id'],
                'indexes': [models.Index(fields=['seller', '-recorded_at'], name='location_seller_newest'), models.Index(fields=['recorded_at'], name='location_recorded')],
                'constraints': [models.CheckConstraint(condition=models.Q(('latitude__gte', -90), ('latitude__lte', 90)), name='sellerlocation_latitude_range', violation_error_message='Latitude lies between -90 and 90 degrees.'), models.CheckConstraint(condition=models.Q(('longitude__gte', -180), ('longitude__lte', 180)), name='sellerlocation_longitude_range', violation_error_message='Longitude lies between -180 and 180 degrees.'), models.CheckConstraint(condition=models.Q(('source__in', ['gps', 'manual', 'import'])), name='sellerlocation_source_valid', violation_error_message='Choose one of the offered values for source.'), models.CheckConstraint(condition=models.Q(('accuracy_m__gte', 0)), name='sellerlocation_accuracy_m_positive', violation_error_message='The accuracy in metres cannot be negative.')],
            },
        ),
        migrations.CreateModel(
            name='StoredFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='updated')),
                ('file_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name='file id')),
                ('file_name', models.CharField(max_length=255)),
                ('content_type', models.CharField(max_length=100, verbose_name='type')),
                ('size', models.PositiveBigIntegerField(verbose_name='size (bytes)')),
                ('sha256', models.CharField(blank=True, default='', max_length=64, verbose_name='SHA-256')),
                ('folder', models.CharField(blank=True, default='', max_length=255)),
                ('storage_key', models.TextField(blank=True, default='')),
                ('url', models.TextField(blank=True, default='', verbose_name='address')),
                ('provider', models.CharField(blank=True, default='', max_length=50)),
                ('is_public', models.BooleanField(default=False, verbose_name='public')),
                ('status', models.CharField(choices=[('uploaded', 'Uploaded'), ('failed', 'Failed'), ('deleted', 'Deleted')], default='uploaded', max_length=10)),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('error_message', models.TextField(blank=True, default='')),
                ('processing_time_ms', models.IntegerField(blank=True, null=True, verbose_name='processing time (ms)')),
                ('uploaded_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='uploaded')),
                ('deleted_at', models.DateTimeField(blank=True, null=True, verbose_name='deleted')),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='files', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'file',
                'ordering': ['-created_at', '-id'],
                'indexes': [models.Index(fields=['content_type'], name='file_content_type'), models.Index(fields=['folder'], name='file_folder'), models.Index(fields=['is_public'], name='file_public'), models.Index(fields=['status', 'created_at', 'id'], name='file_status'), models.Index(fields=['size'], name='file_size'), models.Index(fields=['-created_at'], name='file_created'), config.db.words.WordIndex(config.db.words.Words('file_name', 'folder'), name='file_words')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['uploaded', 'failed', 'deleted'])), name='storedfile_status_valid', violation_error_message='Choose one of the offered values for status.'), models.CheckConstraint(condition=models.Q(('size__gte', 0)), name='storedfile_size_positive', violation_error_message="A file's size cannot be negative.")],
            },
        ),
        migrations.CreateModel(
            name='Subscription',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=config.db.ids.new_ulid, editable=False, help_text='The name of this row in links and in the API.', max_length=36, verbose_name='public id')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='updated')),
                ('provider', models.CharField(blank=True, default='', help_text='Such as stripe or revenuecat.', max_length=30)),
                ('product_id', models.CharField(blank=True, default='', max_length=255, verbose_name='product')),
                ('external_id', models.CharField(blank=True, max_length=255, null=True, verbose_name='id at the provider')),
                ('customer_id', models.CharField(blank=True, default='', max_length=255, verbose_name='customer at the provider')),
                ('price_id', models.CharField(blank=True, default='', max_length=255, verbose_name='price at the provider')),
                ('status', models.CharField(choices=[('active', 'Active'), ('cancelled', 'Cancelled'), ('expired', 'Expired'), ('trialing', 'Trialing'), ('past_due', 'Past due'), ('unpaid', 'Unpaid'), ('incomplete', 'Incomplete'), ('incomplete_expired', 'Incomplete, expired')], default='active', max_length=20)),
                ('start_date', models.DateTimeField(verbose_name='start')),
                ('end_date', models.DateTimeField(blank=True, null=True, verbose_name='end')),
                ('current_period_start', models.DateTimeField(blank=True, null=True)),
                ('current_period_end', models.DateTimeField(blank=True, null=True)),
                ('trial_end', models.DateTimeField(blank=True, null=True)),
                ('cancelled_at', models.DateTimeField(blank=True, null=True, verbose_name='cancelled')),
                ('cancel_at_period_end', models.BooleanField(default=False)),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('seller', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='subscriptions', to='accounts.seller')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='subscriptions', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at', '-id'],
                'indexes': [models.Index(fields=['-created_at'], name='subscription_newest'), models.Index(fields=['status', 'created_at', 'id'], name='subscription_status'), models.Index(fields=['external_id'], name='subscription_external'), models.Index(fields=['end_date'], name='subscription_end')],
                'constraints': [models.UniqueConstraint(fields=('public_id',), name='subscription_public_id_unique', violation_error_message='This public id is already in use.'), models.CheckConstraint(condition=models.Q(('status__in', ['active', 'cancelled', 'expired', 'trialing', 'past_due', 'unpaid', 'incomplete', 'incomplete_expired'])), name='subscription_status_valid', violation_error_message='Choose one of the offered values for status.'), models.CheckConstraint(condition=models.Q(('end_date__gte', models.F('start_date'))), name='subscription_end_after_start', violation_error_message='A subscription cannot end before it starts.'), models.CheckConstraint(condition=models.Q(('current_period_end__gte', models.F('current_period_start'))), name='subscription_period_end_after_start', violation_error_message='The current period cannot end before it starts.'), models.UniqueConstraint(fields=('provider', 'external_id'), name='subscription_external_unique', violation_error_message='This subscription of the provider is recorded already.'), models.UniqueConstraint(condition=models.Q(('status__in', ('active', 'trialing'))), fields=('user', 'provider'), name='subscription_one_running', violation_error_message='This user has a running subscription at this provider already.')],
            },
        ),
        migrations.CreateModel(
            name='Translation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='updated')),
                ('key', models.CharField(help_text='Such as voucher.spring-service.title.', max_length=255)),
                ('value', models.TextField(verbose_name='text')),
                ('domain', models.CharField(blank=True, default='', help_text='Such as seller, voucher or category.', max_length=50)),
                ('context', models.TextField(blank=True, default='', help_text='What a translator should know.')),
                ('is_verified', models.BooleanField(default=False, editable=False, verbose_name='verified')),
                ('verified_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='verified on')),
                ('language', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='translations', to='accounts.language')),
                ('verified_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='verified_translations', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['key', 'language_id'],
                'indexes': [models.Index(fields=['domain', 'key'], name='translation_domain_key'), models.Index(fields=['is_verified', 'key', 'language'], name='translation_verified'), config.db.words.WordIndex(config.db.words.Words('value'), name='translation_words')],
                'constraints': [models.UniqueConstraint(fields=('key', 'language'), name='translation_key_language_unique', violation_error_message='This key has a text in this language already.')],
            },
        ),
        migrations.CreateModel(
            name='UserIdentity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=config.db.ids.new_ulid, editable=False, help_text='The name of this row in links and in the API.', max_length=36, verbose_name='public id')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='updated')),
                ('provider', models.CharField(help_text='Such as google, clerk or firebase.', max_length=50)),
                ('provider_account_id', models.CharField(max_length=255, verbose_name='account at the provider')),
                ('type', models.CharField(choices=[('oauth', 'OAuth'), ('oidc', 'OpenID Connect'), ('email', 'E-mail'), ('credentials', 'Credentials'), ('external', 'External')], default='oauth', max_length=20)),
                ('access_token', config.db.fields.EncryptedTextField(blank=True, default='', editable=False)),
                ('refresh_token', config.db.fields.EncryptedTextField(blank=True, default='', editable=False)),
                ('id_token', config.db.fields.EncryptedTextField(blank=True, default='', editable=False)),
                ('token_type', models.CharField(blank=True, default='', max_length=40)),
                ('scope', models.TextField(blank=True, default='')),
                ('session_state', models.CharField(blank=True, default='', max_length=255)),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='expires')),
                ('provider_data', models.JSONField(blank=True, default=dict)),
                ('is_email_verified', models.BooleanField(default=False, verbose_name='e-mail verified')),
                ('is_phone_verified', models.BooleanField(default=False, verbose_name='phone verified')),
                ('last_sign_in_method', models.CharField(blank=True, default='', max_length=50)),
                ('last_login_at', models.DateTimeField(blank=True, null=True, verbose_name='last sign-in')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identities', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'linked identity',
                'verbose_name_plural': 'linked identities',
                'ordering': ['-created_at', '-id'],
                'constraints': [models.UniqueConstraint(fields=('public_id',), name='useridentity_public_id_unique', violation_error_message='This public id is already in use.'), models.UniqueConstraint(fields=('provider', 'provider_account_id'), name='useridentity_account_unique', violation_error_message='This account at the provider is already linked to a user.'), models.CheckConstraint(condition=models.Q(('type__in', ['oauth', 'oidc', 'email', 'credentials', 'external'])), name='useridentity_type_valid', violation_error_message='Choose one of the offered values for type.')],
                'indexes': [models.Index(fields=['-created_at'], name='identity_newest'), models.Index(fields=['provider_account_id'], name='identity_account'), models.Index(fields=['type', 'created_at', 'id'], name='identity_type'), models.Index(fields=['is_email_verified', 'created_at', 'id'], name='identity_verified')],
            },
        ),
        migrations.CreateModel(
            name='UserPreference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='updated')),
                ('theme', models.CharField(choices=[('light', 'Light'), ('dark', 'Dark')], default='light', max_length=20)),
                ('notifications_enabled', models.BooleanField(default=True)),
                ('language', models.ForeignKey(default='en', limit_choices_to={'is_active': True}, on_delete=django.db.models.deletion.PROTECT, related_name='preferences', to='accounts.language')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='preference', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'preference',
                'ordering': ['user'],
                'constraints': [models.CheckConstraint(condition=models.Q(('theme__in', ['light', 'dark'])), name='userpreference_theme_valid', violation_error_message='Choose one of the offered values for theme.')],
                'indexes': [models.Index(fields=['theme', 'id'], name='preference_theme'), models.Index(fields=['notifications_enabled', 'id'], name='preference_notifications')],
            },
        ),
        migrations.CreateModel(
            name='UserSession',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=config.db.ids.new_ulid, editable=False, help_text='The name of this row in links and in the API.', max_length=36, verbose_name='public id')),
                ('kind', models.CharField(choices=[('web', 'Web'), ('api', 'API'), ('refresh', 'Refresh token')], default='web', max_length=10)),
                ('access_token_hash', models.CharField(blank=True, editable=False, max_length=64, null=True)),
                ('refresh_token_hash', models.CharField(blank=True, editable=False, max_length=64, null=True)),
                ('expires_at', models.DateTimeField(verbose_name='expires')),
                ('last_seen_at', models.DateTimeField(blank=True, null=True, verbose_name='last seen')),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='ended')),
                ('ip_address', models.GenericIPAddressField(blank=True, null=True, verbose_name='IP address')),
                ('user_agent', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='sessions', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'session',
                'ordering': ['-created_at', '-id'],
                'indexes': [models.Index(fields=['user', 'expires_at'], name='session_user_expiry'), models.Index(fields=['expires_at'], name='session_expiry'), models.Index(fields=['-created_at'], name='session_newest'), models.Index(fields=['kind', 'created_at', 'id'], name='session_kind')],
                'constraints': [models.UniqueConstraint(fields=('public_id',), name='usersession_public_id_unique', violation_error_message='This public id is already in use.'), models.CheckConstraint(condition=models.Q(('kind__in', ['web', 'api', 'refresh'])), name='usersession_kind_valid', violation_error_message='Choose one of the offered values for kind.'), models.UniqueConstraint(fields=('access_token_hash',), name='usersession_access_token_unique', violation_error_message='This access token belongs to another session.'), models.UniqueConstraint(fields=('refresh_token_hash',), name='usersession_refresh_token_unique', violation_error_message='This refresh token belongs to another session.'), models.CheckConstraint(condition=models.Q(('access_token_hash__isnull', False), ('refresh_token_hash__isnull', False), _connector='OR'), name='usersession_has_token', violation_error_message='A session needs an access token or a refresh token.')],
            },
        ),
        # The words that misspelled ones are repaired to; see config.db.typos.
        config.db.operations.PostgresSQL(
            """
            CREATE TABLE accounts_searchword (
                source text NOT NULL, word text NOT NULL, rows bigint NOT NULL, PRIMARY KEY (source, word)
            );
            DO $$
            BEGIN
                CREATE EXTENSION IF NOT EXISTS pg_trgm;
                CREATE INDEX searchword_alike ON accounts_searchword USING gin (word gin_trgm_ops);
            EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
                RAISE NOTICE 'No extension pg_trgm (%), so searches repair no misspelled words.', SQLERRM;
            END $$;
            """,
            "DROP TABLE accounts_searchword",
        ),
    ]
