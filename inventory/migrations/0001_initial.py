import accounts.validators
import config.db.composite_keys
import config.db.constraints
import config.db.fields
import config.db.ids
import config.db.iso
import config.db.words
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import inventory.models.base
import inventory.models.cars
import inventory.slugs
import inventory.vin
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models

from config.db.migrations import FirstMigration


class Migration(FirstMigration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('accounts', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='Car',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=config.db.ids.new_ulid, editable=False, help_text='The name of this row in links and in the API.', max_length=36, verbose_name='public id')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='updated')),
                ('deleted_at', models.DateTimeField(blank=True, db_index=True, editable=False, null=True, verbose_name='deleted')),
                ('make', models.CharField(max_length=100)),
                ('model', models.CharField(max_length=100)),
                ('trim', models.CharField(blank=True, default='', help_text='Such as GTI or Sport Line.', max_length=100)),
                ('year', models.SmallIntegerField(help_text='Model year.', validators=[inventory.models.base.validate_model_year])),
                ('vin', config.db.fields.UpperCharField(blank=True, help_text='17 letters and digits, as on the windscreen plate; without I, O and Q.', max_length=17, null=True, validators=[inventory.vin.validate_vin], verbose_name='VIN')),
                ('fuel_type', models.CharField(blank=True, choices=[('PETROL', 'Petrol'), ('DIESEL', 'Diesel'), ('ELECTRIC', 'Electric'), ('HYBRID', 'Hybrid'), ('PLUGIN_HYBRID', 'Plug-in hybrid'), ('LPG', 'LPG'), ('CNG', 'CNG'), ('OTHER', 'Other')], default='', max_length=16, verbose_name='fuel')),
                ('transmission', models.CharField(blank=True, choices=[('MANUAL', 'Manual'), ('AUTOMATIC', 'Automatic'), ('SEMI_AUTOMATIC', 'Semi-automatic'), ('CVT', 'CVT')], default='', max_length=16)),
                ('drivetrain', models.CharField(blank=True, choices=[('FWD', 'Front-wheel drive'), ('RWD', 'Rear-wheel drive'), ('AWD', 'All-wheel drive'), ('FOUR_WD', 'Four-wheel drive')], default='', max_length=8)),
                ('engine_size', models.CharField(blank=True, default='', help_text='As written in the papers, such as 2.0L.', max_length=20)),
                ('engine_cc', models.IntegerField(blank=True, editable=False, null=True, verbose_name='engine (cc)')),
                ('power_hp', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='power (hp)')),
                ('color', models.CharField(blank=True, default='', max_length=50)),
                ('mileage_km', models.PositiveIntegerField(blank=True, null=True, verbose_name='mileage (km)')),
                ('condition', models.CharField(choices=[('NEW', 'New'), ('EXCELLENT', 'Excellent'), ('GOOD', 'Good'), ('FAIR', 'Fair'), ('POOR', 'Poor'), ('NEEDS_WORK', 'Needs work')], default='GOOD', max_length=12)),
                ('name', models.CharField(blank=True, default='', help_text='Made from make and model when left empty.', max_length=200)),
                ('slug', models.SlugField(blank=True, db_index=False, help_text="The address of the car's page; made from make, model and year when left empty, then stable.", max_length=255, validators=[inventory.slugs.validate_car_slug])),
                ('price', models.DecimalField(decimal_places=2, max_digits=12, validators=[django.core.validators.MinValueValidator(Decimal('0.01'))])),
                ('currency', config.db.fields.UpperCharField(default='EUR', help_text='ISO 4217, such as EUR.', max_length=3, validators=[config.db.iso.validate_currency])),
                ('segment', models.CharField(choices=[('PREMIUM', 'Premium'), ('FAMILY', 'Family'), ('SUV', 'SUV'), ('COMPACT', 'Compact'), ('SPORTS', 'Sports'), ('LUXURY', 'Luxury'), ('ELECTRIC', 'Electric')], max_length=10)),
                ('is_featured', models.BooleanField(default=False, verbose_name='featured')),
                ('description', models.TextField(blank=True, default='')),
                ('paragraphs', models.JSONField(blank=True, default=list, help_text='The long description, a list of paragraphs.', validators=[inventory.models.cars.validate_paragraphs])),
                ('condition_note', models.TextField(blank=True, default='')),
                ('meta_title', models.CharField(blank=True, default='', max_length=255, verbose_name='title for search engines')),
                ('meta_description', models.TextField(blank=True, default='', verbose_name='description for search engines')),
                ('status', models.CharField(choices=[('AVAILABLE', 'Available'), ('RESERVED', 'Reserved'), ('SOLD', 'Sold'), ('COMING_SOON', 'Coming soon'), ('UNDER_MAINTENANCE', 'Under maintenance')], default='AVAILABLE', max_length=18)),
                ('published_at', models.DateTimeField(blank=True, default=django.utils.timezone.now, help_text='Kept out of public lists until then, and altogether while empty.', null=True, verbose_name='published')),
                ('sold_at', models.DateTimeField(blank=True, null=True, verbose_name='sold')),
                ('seller', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='cars', to='accounts.seller')),
            ],
            options={
                'ordering': ['-created_at', '-id'],
                'indexes': [models.Index(fields=['make'], name='car_make'), models.Index(fields=['segment', 'created_at', 'id'], name='car_segment'), models.Index(condition=models.Q(('is_featured', True)), fields=['-created_at'], name='car_featured'), models.Index(fields=['price'], name='car_price'), models.Index(fields=['year', 'created_at', 'id'], name='car_year'), models.Index(fields=['condition', 'created_at', 'id'], name='car_condition'), models.Index(fields=['fuel_type', 'created_at', 'id'], name='car_fuel'), models.Index(fields=['transmission', 'created_at', 'id'], name='car_transmission'), models.Index(fields=['mileage_km'], name='car_mileage'), models.Index(fields=['-created_at'], name='car_created'), models.Index(fields=['status', 'created_at', 'id'], name='car_status_newest'), models.Index(fields=['status', 'make'], name='car_status_make'), models.Index(models.F('status'), django.db.models.functions.text.Upper('make'), models.OrderBy(models.F('created_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='car_status_any_case_make'), models.Index(fields=['status', 'segment', '-created_at', '-id'], name='car_status_segment'), models.Index(fields=['status', 'price', 'id'], name='car_status_price'), models.Index(fields=['status', 'year', 'id'], name='car_status_year'), models.Index(fields=['status', 'mileage_km', 'id'], name='car_status_mileage'), models.Index(fields=['status', 'name', 'id'], name='car_status_name'), config.db.words.WordIndex(config.db.words.Words('name', 'make', 'model', 'trim', 'year'), name='car_name_words'), config.db.words.WordIndex(config.db.words.Words('name', 'make', 'model', 'trim', 'year', 'color', 'engine_size', 'description'), name='car_shown_words'), config.db.words.WordIndex(config.db.words.Words('name', 'make', 'model', 'trim', 'year', 'color', 'engine_size', 'description', 'vin'), name='car_words')],
                'constraints': [models.UniqueConstraint(fields=('public_id',), name='car_public_id_unique', violation_error_message='This public id is already in use.'), models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('vin',), name='car_vin_unique', violation_error_message='Another one has this VIN already.'), models.CheckConstraint(condition=models.Q(('vin__isnull', True), config.db.constraints.IsVIN('vin'), _connector='OR'), name='car_vin_form', violation_error_message='A VIN has 17 letters and digits, without I, O and Q.'), models.CheckConstraint(condition=models.Q(('year__gte', 1886), ('year__lte', 2200)), name='car_year_range', violation_error_message='There were no cars before 1886, and none come from after 2200.'), models.CheckConstraint(condition=models.Q(('fuel_type__in', ['', 'PETROL', 'DIESEL', 'ELECTRIC', 'HYBRID', 'PLUGIN_HYBRID', 'LPG', 'CNG', 'OTHER'])), name='car_fuel_type_valid', violation_error_message='Choose one of the offered values for fuel type.'), models.CheckConstraint(condition=models.Q(('transmission__in', ['', 'MANUAL', 'AUTOMATIC', 'SEMI_AUTOMATIC', 'CVT'])), name='car_transmission_valid', violation_error_message='Choose one of the offered values for transmission.'), models.CheckConstraint(condition=models.Q(('drivetrain__in', ['', 'FWD', 'RWD', 'AWD', 'FOUR_WD'])), name='car_drivetrain_valid', violation_error_message='Choose one of the offered values for drivetrain.'), models.CheckConstraint(condition=models.Q(('condition__in', ['NEW', 'EXCELLENT', 'GOOD', 'FAIR', 'POOR', 'NEEDS_WORK'])), name='car_condition_valid', violation_error_message='Choose one of the offered values for condition.'), models.CheckConstraint(condition=models.Q(('mileage_km__gte', 0)), name='car_mileage_km_positive', violation_error_message='The mileage cannot be negative.'), models.CheckConstraint(condition=models.Q(('power_hp__gte', 0)), name='car_power_hp_positive', violation_error_message='The power cannot be negative.'), models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('slug',), name='car_slug_unique', violation_error_message='Another car has this slug already.'), models.CheckConstraint(condition=models.Q(('status__in', ['AVAILABLE', 'RESERVED', 'SOLD', 'COMING_SOON', 'UNDER_MAINTENANCE'])), name='car_status_valid', violation_error_message='Choose one of the offered values for status.'), models.CheckConstraint(condition=models.Q(('segment__in', ['PREMIUM', 'FAMILY', 'SUV', 'COMPACT', 'SPORTS', 'LUXURY', 'ELECTRIC'])), name='car_segment_valid', violation_error_message='Choose one of the offered values for segment.'), models.CheckConstraint(condition=models.Q(('currency__in', ('AED', 'AFN', 'ALL', 'AMD', 'AOA', 'ARS', 'AUD', 'AWG', 'AZN', 'BAM', 'BBD', 'BDT', 'BHD', 'BIF', 'BMD', 'BND', 'BOB', 'BRL', 'BSD', 'BTN', 'BWP', 'BYN', 'BZD', 'CAD', 'CDF', 'CHF', 'CLP', 'CNY', 'COP', 'CRC', 'CUP', 'CVE', 'CZK', 'DJF', 'DKK', 'DOP', 'DZD', 'EGP', 'ERN', 'ETB', 'EUR', 'FJD', 'FKP', 'GBP', 'GEL', 'GHS', 'GIP', 'GMD', 'GNF', 'GTQ', 'GYD', 'HKD', 'HNL', 'HTG', 'HUF', 'IDR', 'ILS', 'INR', 'IQD', 'IRR', 'ISK', 'JMD', 'JOD', 'JPY', 'KES', 'KGS', 'KHR', 'KMF', 'KPW', 'KRW', 'KWD', 'KYD', 'KZT', 'LAK', 'LBP', 'LKR', 'LRD', 'LSL', 'LYD', 'MAD', 'MDL', 'MGA', 'MKD', 'MMK', 'MNT', 'MOP', 'MRU', 'MUR', 'MVR', 'MWK', 'MXN', 'MYR', 'MZN', 'NAD', 'NGN', 'NIO', 'NOK', 'NPR', 'NZD', 'OMR', 'PAB', 'PEN', 'PGK', 'PHP', 'PKR', 'PLN', 'PYG', 'QAR', 'RON', 'RSD', 'RUB', 'RWF', 'SAR', 'SBD', 'SCR', 'SDG', 'SEK', 'SGD', 'SHP', 'SLE', 'SOS', 'SRD', 'SSP', 'STN', 'SVC', 'SYP', 'SZL', 'THB', 'TJS', 'TMT', 'TND', 'TOP', 'TRY', 'TTD', 'TWD', 'TZS', 'UAH', 'UGX', 'USD', 'UYU', 'UZS', 'VES', 'VND', 'VUV', 'WST', 'XAF', 'XCD', 'XOF', 'XPF', 'YER', 'ZAR', 'ZMW', 'ZWG'))), name='car_currency_valid', violation_error_message='A currency is an ISO 4217 code, such as EUR or ZAR.'), models.CheckConstraint(condition=models.Q(('price__gt', 0)), name='car_price_positive', violation_error_message='A price is more than nothing.'), models.CheckConstraint(condition=models.Q(models.Q(('sold_at__isnull', False), ('status', 'SOLD')), models.Q(models.Q(('status', 'SOLD'), _negated=True), ('sold_at__isnull', True)), _connector='OR'), name='car_sold_when_dated', violation_error_message='A sold one needs its sale date; the others have none.'), models.CheckConstraint(condition=models.Q(('mileage_km__isnull', False)), name='car_mileage_km_known', violation_error_message='A car for sale needs its mileage.')],
            },
        ),
        migrations.CreateModel(
            name='CarFeature',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(max_length=255)),
                ('position', models.SmallIntegerField(default=0)),
                ('car', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='features', to='inventory.car')),
            ],
            options={
                'verbose_name': 'feature',
                'ordering': ['position', 'id'],
                'indexes': [models.Index(fields=['car', 'position'], name='car_feature_position')],
            },
        ),
        migrations.CreateModel(
            name='CarImage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('url', models.CharField(help_text='Of the picture; filled in when you upload one.', max_length=1000, validators=[accounts.validators.validate_image_url], verbose_name='address')),
                ('alt_text', models.CharField(blank=True, default='', help_text='What the picture shows.', max_length=255, verbose_name='alternative text')),
                ('position', models.SmallIntegerField(default=0)),
                ('is_primary', models.BooleanField(default=False, verbose_name='primary')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('car', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='images', to='inventory.car')),
                ('file', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='accounts.storedfile')),
            ],
            options={
                'verbose_name': 'picture',
                'ordering': ['position', 'id'],
                'abstract': False,
                'indexes': [models.Index(fields=['car', 'position'], name='car_image_position')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_primary', True)), fields=('car',), name='carimage_one_primary', violation_error_message='The car has another primary picture already.')],
            },
        ),
        migrations.CreateModel(
            name='CarSlugHistory',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(db_index=False, max_length=255)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('car', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='slug_history', to='inventory.car')),
            ],
            options={
                'verbose_name': 'former slug',
                'ordering': ['-created_at', '-id'],
                'constraints': [models.UniqueConstraint(fields=('slug',), name='carslughistory_former_slug_unique', violation_error_message='This slug was used before.')],
                'indexes': [models.Index(fields=['-created_at'], name='former_slug_newest')],
            },
        ),
        migrations.CreateModel(
            name='CarSpecification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.CharField(max_length=100)),
                ('value', models.CharField(max_length=255)),
                ('position', models.SmallIntegerField(default=0)),
                ('car', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='specifications', to='inventory.car')),
            ],
            options={
                'verbose_name': 'specification',
                'ordering': ['position', 'id'],
                'indexes': [models.Index(fields=['car', 'position'], name='car_specification_position')],
            },
        ),
        migrations.CreateModel(
            name='Category',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=config.db.ids.new_ulid, editable=False, help_text='The name of this row in links and in the API.', max_length=36, verbose_name='public id')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='updated')),
                ('deleted_at', models.DateTimeField(blank=True, db_index=True, editable=False, null=True, verbose_name='deleted')),
                ('name', models.CharField(max_length=100)),
                ('name_key', models.CharField(blank=True, help_text='Translation key of the name.', max_length=255, null=True)),
                ('description_key', models.CharField(blank=True, help_text='Translation key of the description.', max_length=255, null=True)),
                ('slug', models.SlugField(blank=True, db_index=False, help_text='Made from the name when left empty.', max_length=255)),
                ('description', models.TextField(blank=True, default='')),
                ('icon', models.CharField(blank=True, default='', help_text='Name of the icon.', max_length=255)),
                ('is_active', models.BooleanField(default=True, help_text='An inactive category is not offered for new parts.', verbose_name='active')),
                ('sort_order', models.IntegerField(default=0)),
                ('level', models.SmallIntegerField(default=1, editable=False)),
                ('path', models.CharField(blank=True, default='', editable=False, max_length=1000)),
                ('created_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('parent', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='inventory.category')),
                ('updated_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'categories',
                'ordering': ['path'],
                'indexes': [models.Index(fields=['parent', 'is_active', 'sort_order'], name='category_children'), models.Index(fields=['is_active'], name='category_active'), models.Index(fields=['path'], name='category_path', opclasses=['varchar_pattern_ops'])],
                'constraints': [models.UniqueConstraint(fields=('public_id',), name='category_public_id_unique', violation_error_message='This public id is already in use.'), models.UniqueConstraint(django.db.models.functions.text.Lower('name'), condition=models.Q(('deleted_at__isnull', True)), name='category_name_unique', violation_error_message='Another category has this name already.'), models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('slug',), name='category_slug_unique', violation_error_message='Another category has this slug already.'), models.CheckConstraint(condition=models.Q(('parent', models.F('id')), _negated=True), name='category_not_own_parent', violation_error_message='A category cannot be its own parent.'), models.CheckConstraint(condition=models.Q(('level__gte', 1)), name='category_level_positive', violation_error_message='The root level is 1.')],
            },
        ),
        migrations.CreateModel(
            name='Vehicle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=config.db.ids.new_ulid, editable=False, help_text='The name of this row in links and in the API.', max_length=36, verbose_name='public id')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='updated')),
                ('deleted_at', models.DateTimeField(blank=True, db_index=True, editable=False, null=True, verbose_name='deleted')),
                ('hold', models.CharField(blank=True, choices=[('legal_hold', 'Legal hold'), ('dispute', 'Dispute')], db_default='', default='', editable=False, help_text='While there is one, the row is neither archived nor anonymized.', max_length=12)),
                ('make', models.CharField(max_length=100)),
                ('model', models.CharField(max_length=100)),
                ('trim', models.CharField(blank=True, default='', help_text='Such as GTI or Sport Line.', max_length=100)),
                ('year', models.SmallIntegerField(help_text='Model year.', validators=[inventory.models.base.validate_model_year])),
                ('vin', config.db.fields.UpperCharField(blank=True, help_text='17 letters and digits, as on the windscreen plate; without I, O and Q.', max_length=17, null=True, validators=[inventory.vin.validate_vin], verbose_name='VIN')),
                ('fuel_type', models.CharField(blank=True, choices=[('PETROL', 'Petrol'), ('DIESEL', 'Diesel'), ('ELECTRIC', 'Electric'), ('HYBRID', 'Hybrid'), ('PLUGIN_HYBRID', 'Plug-in hybrid'), ('LPG', 'LPG'), ('CNG', 'CNG'), ('OTHER', 'Other')], default='', max_length=16, verbose_name='fuel')),
                ('transmission', models.CharField(blank=True, choices=[('MANUAL', 'Manual'), ('AUTOMATIC', 'Automatic'), ('SEMI_AUTOMATIC', 'Semi-automatic'), ('CVT', 'CVT')], default='', max_length=16)),
                ('drivetrain', models.CharField(blank=True, choices=[('FWD', 'Front-wheel drive'), ('RWD', 'Rear-wheel drive'), ('AWD', 'All-wheel drive'), ('FOUR_WD', 'Four-wheel drive')], default='', max_length=8)),
                ('engine_size', models.CharField(blank=True, default='', help_text='As written in the papers, such as 2.0L.', max_length=20)),
                ('engine_cc', models.IntegerField(blank=True, editable=False, null=True, verbose_name='engine (cc)')),
                ('power_hp', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='power (hp)')),
                ('color', models.CharField(blank=True, default='', max_length=50)),
                ('mileage_km', models.PositiveIntegerField(blank=True, null=True, verbose_name='mileage (km)')),
                ('condition', models.CharField(choices=[('NEW', 'New'), ('EXCELLENT', 'Excellent'), ('GOOD', 'Good'), ('FAIR', 'Fair'), ('POOR', 'Poor'), ('NEEDS_WORK', 'Needs work')], default='GOOD', max_length=12)),
                ('acquired_at', models.DateTimeField(verbose_name='acquired')),
                ('description', models.TextField(blank=True, default='')),
                ('seller', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='vehicles', to='accounts.seller')),
                ('source_car', models.OneToOneField(blank=True, help_text='The car of our own stock that was taken off sale to be broken.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='dismantled_as', to='inventory.car')),
            ],
            options={
                'verbose_name': 'donor vehicle',
                'ordering': ['-created_at', '-id'],
                'indexes': [models.Index(fields=['make', 'model', 'year'], name='vehicle_make_model_year'), models.Index(fields=['year', 'created_at', 'id'], name='vehicle_year'), models.Index(fields=['condition', 'created_at', 'id'], name='vehicle_condition'), models.Index(fields=['fuel_type', 'created_at', 'id'], name='vehicle_fuel'), models.Index(fields=['transmission', 'created_at', 'id'], name='vehicle_transmission'), models.Index(fields=['mileage_km'], name='vehicle_mileage'), models.Index(fields=['acquired_at'], name='vehicle_acquired'), models.Index(fields=['-created_at'], name='vehicle_created'), config.db.words.WordIndex(config.db.words.Words('make', 'model', 'trim', 'year'), name='vehicle_name_words'), config.db.words.WordIndex(config.db.words.Words('make', 'model', 'trim', 'year', 'vin', 'color', 'engine_size', 'description'), name='vehicle_words')],
                'constraints': [models.UniqueConstraint(fields=('public_id',), name='vehicle_public_id_unique', violation_error_message='This public id is already in use.'), models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('vin',), name='vehicle_vin_unique', violation_error_message='Another one has this VIN already.'), models.CheckConstraint(condition=models.Q(('vin__isnull', True), config.db.constraints.IsVIN('vin'), _connector='OR'), name='vehicle_vin_form', violation_error_message='A VIN has 17 letters and digits, without I, O and Q.'), models.CheckConstraint(condition=models.Q(('year__gte', 1886), ('year__lte', 2200)), name='vehicle_year_range', violation_error_message='There were no cars before 1886, and none come from after 2200.'), models.CheckConstraint(condition=models.Q(('fuel_type__in', ['', 'PETROL', 'DIESEL', 'ELECTRIC', 'HYBRID', 'PLUGIN_HYBRID', 'LPG', 'CNG', 'OTHER'])), name='vehicle_fuel_type_valid', violation_error_message='Choose one of the offered values for fuel type.'), models.CheckConstraint(condition=models.Q(('transmission__in', ['', 'MANUAL', 'AUTOMATIC', 'SEMI_AUTOMATIC', 'CVT'])), name='vehicle_transmission_valid', violation_error_message='Choose one of the offered values for transmission.'), models.CheckConstraint(condition=models.Q(('drivetrain__in', ['', 'FWD', 'RWD', 'AWD', 'FOUR_WD'])), name='vehicle_drivetrain_valid', violation_error_message='Choose one of the offered values for drivetrain.'), models.CheckConstraint(condition=models.Q(('condition__in', ['NEW', 'EXCELLENT', 'GOOD', 'FAIR', 'POOR', 'NEEDS_WORK'])), name='vehicle_condition_valid', violation_error_message='Choose one of the offered values for condition.'), models.CheckConstraint(condition=models.Q(('hold__in', ['', 'legal_hold', 'dispute'])), name='vehicle_hold_valid', violation_error_message='Choose one of the offered values for hold.'), models.CheckConstraint(condition=models.Q(('mileage_km__gte', 0)), name='vehicle_mileage_km_positive', violation_error_message='The mileage cannot be negative.'), models.CheckConstraint(condition=models.Q(('power_hp__gte', 0)), name='vehicle_power_hp_positive', violation_error_message='The power cannot be negative.'), models.UniqueConstraint(fields=('id', 'seller'), name='vehicle_id_seller_unique', violation_error_message='This vehicle is there already.')],
            },
        ),
        migrations.CreateModel(
            name='Part',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=config.db.ids.new_ulid, editable=False, help_text='The name of this row in links and in the API.', max_length=36, verbose_name='public id')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='updated')),
                ('deleted_at', models.DateTimeField(blank=True, db_index=True, editable=False, null=True, verbose_name='deleted')),
                ('hold', models.CharField(blank=True, choices=[('legal_hold', 'Legal hold'), ('dispute', 'Dispute')], db_default='', default='', editable=False, help_text='While there is one, the row is neither archived nor anonymized.', max_length=12)),
                ('name', models.CharField(max_length=200)),
                ('part_number', config.db.fields.UpperCharField(blank=True, help_text='As the maker writes it.', max_length=100, null=True)),
                ('description', models.TextField()),
                ('condition', models.CharField(choices=[('NEW', 'New'), ('EXCELLENT', 'Excellent'), ('GOOD', 'Good'), ('FAIR', 'Fair'), ('POOR', 'Poor'), ('NEEDS_WORK', 'Needs work')], default='GOOD', max_length=12)),
                ('price', models.DecimalField(decimal_places=2, max_digits=12, validators=[django.core.validators.MinValueValidator(Decimal('0.01'))])),
                ('currency', config.db.fields.UpperCharField(default='ZAR', help_text='ISO 4217, such as ZAR.', max_length=3, validators=[config.db.iso.validate_currency])),
                ('yard_location', models.CharField(blank=True, default='', help_text='Where it lies, such as Bay A-15.', max_length=100)),
                ('status', models.CharField(choices=[('AVAILABLE', 'Available'), ('RESERVED', 'Reserved'), ('SOLD', 'Sold')], default='AVAILABLE', max_length=12)),
                ('is_listed', models.BooleanField(default=False, help_text='Shown on the marketplace.', verbose_name='listed')),
                ('reserved_until', models.DateTimeField(blank=True, null=True)),
                ('sold_at', models.DateTimeField(blank=True, null=True, verbose_name='sold')),
                ('part_number_norm', models.CharField(blank=True, editable=False, max_length=100, null=True, verbose_name='part number (searched)')),
                ('category', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='parts', to='inventory.category')),
                ('seller', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='accounts.seller')),
                ('vehicle', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='inventory.vehicle')),
            ],
            options={
                'ordering': ['-created_at', '-id'],
                'indexes': [models.Index(fields=['name'], name='part_name'), models.Index(fields=['part_number'], name='part_number'), models.Index(fields=['part_number_norm'], name='part_number_norm', opclasses=['varchar_pattern_ops']), models.Index(fields=['condition', 'created_at', 'id'], name='part_condition'), models.Index(fields=['status', 'created_at', 'id'], name='part_status'), models.Index(condition=models.Q(('sold_at__isnull', False)), fields=['sold_at'], name='part_sold'), models.Index(condition=models.Q(('sold_at__isnull', False)), fields=['-created_at'], name='part_sold_newest'), models.Index(condition=models.Q(('reserved_until__isnull', False)), fields=['reserved_until'], name='part_reserved_until'), models.Index(fields=['price'], name='part_price'), models.Index(fields=['-created_at'], name='part_created'), models.Index(fields=['is_listed', 'status', '-created_at', '-id'], name='part_listed_status'), models.Index(fields=['is_listed', 'status', 'price', 'id'], name='part_listed_price'), models.Index(fields=['seller', 'is_listed', 'deleted_at'], name='part_seller_listed'), models.Index(fields=['vehicle', 'status'], name='part_vehicle_status'), models.Index(fields=['category', 'deleted_at'], name='part_category_live'), config.db.words.WordIndex(config.db.words.Words('name'), name='part_name_words'), config.db.words.WordIndex(config.db.words.Words('name', 'part_number', 'part_number_norm', 'description'), name='part_words')],
                'constraints': [models.UniqueConstraint(fields=('public_id',), name='part_public_id_unique', violation_error_message='This public id is already in use.'), models.CheckConstraint(condition=models.Q(('condition__in', ['NEW', 'EXCELLENT', 'GOOD', 'FAIR', 'POOR', 'NEEDS_WORK'])), name='part_condition_valid', violation_error_message='Choose one of the offered values for condition.'), models.CheckConstraint(condition=models.Q(('status__in', ['AVAILABLE', 'RESERVED', 'SOLD'])), name='part_status_valid', violation_error_message='Choose one of the offered values for status.'), models.CheckConstraint(condition=models.Q(('hold__in', ['', 'legal_hold', 'dispute'])), name='part_hold_valid', violation_error_message='Choose one of the offered values for hold.'), models.CheckConstraint(condition=models.Q(('currency__in', ('AED', 'AFN', 'ALL', 'AMD', 'AOA', 'ARS', 'AUD', 'AWG', 'AZN', 'BAM', 'BBD', 'BDT', 'BHD', 'BIF', 'BMD', 'BND', 'BOB', 'BRL', 'BSD', 'BTN', 'BWP', 'BYN', 'BZD', 'CAD', 'CDF', 'CHF', 'CLP', 'CNY', 'COP', 'CRC', 'CUP', 'CVE', 'CZK', 'DJF', 'DKK', 'DOP', 'DZD', 'EGP', 'ERN', 'ETB', 'EUR', 'FJD', 'FKP', 'GBP', 'GEL', 'GHS', 'GIP', 'GMD', 'GNF', 'GTQ', 'GYD', 'HKD', 'HNL', 'HTG', 'HUF', 'IDR', 'ILS', 'INR', 'IQD', 'IRR', 'ISK', 'JMD', 'JOD', 'JPY', 'KES', 'KGS', 'KHR', 'KMF', 'KPW', 'KRW', 'KWD', 'KYD', 'KZT', 'LAK', 'LBP', 'LKR', 'LRD', 'LSL', 'LYD', 'MAD', 'MDL', 'MGA', 'MKD', 'MMK', 'MNT', 'MOP', 'MRU', 'MUR', 'MVR', 'MWK', 'MXN', 'MYR', 'MZN', 'NAD', 'NGN', 'NIO', 'NOK', 'NPR', 'NZD', 'OMR', 'PAB', 'PEN', 'PGK', 'PHP', 'PKR', 'PLN', 'PYG', 'QAR', 'RON', 'RSD', 'RUB', 'RWF', 'SAR', 'SBD', 'SCR', 'SDG', 'SEK', 'SGD', 'SHP', 'SLE', 'SOS', 'SRD', 'SSP', 'STN', 'SVC', 'SYP', 'SZL', 'THB', 'TJS', 'TMT', 'TND', 'TOP', 'TRY', 'TTD', 'TWD', 'TZS', 'UAH', 'UGX', 'USD', 'UYU', 'UZS', 'VES', 'VND', 'VUV', 'WST', 'XAF', 'XCD', 'XOF', 'XPF', 'YER', 'ZAR', 'ZMW', 'ZWG'))), name='part_currency_valid', violation_error_message='A currency is an ISO 4217 code, such as EUR or ZAR.'), models.CheckConstraint(condition=models.Q(('price__gt', 0)), name='part_price_positive', violation_error_message='A price is more than nothing.'), models.CheckConstraint(condition=models.Q(models.Q(('sold_at__isnull', False), ('status', 'SOLD')), models.Q(models.Q(('status', 'SOLD'), _negated=True), ('sold_at__isnull', True)), _connector='OR'), name='part_sold_when_dated', violation_error_message='A sold one needs its sale date; the others have none.'), models.CheckConstraint(condition=models.Q(('is_listed', True), ('status', 'SOLD'), _negated=True), name='part_sold_not_listed', violation_error_message='A sold part cannot be listed on the marketplace.'), models.CheckConstraint(condition=models.Q(('reserved_until__isnull', True), ('status', 'RESERVED'), _connector='OR'), name='part_reserved_until_when_reserved', violation_error_message='Only a reserved part has a date until which it is reserved.'), config.db.composite_keys.CompositeForeignKey(fields=('vehicle', 'seller'), name='part_vehicle_seller', to_fields=('id', 'seller'), violation_error_message='The part must belong to the seller of its vehicle.')],
            },
        ),
        migrations.CreateModel(
            name='PartImage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('url', models.CharField(help_text='Of the picture; filled in when you upload one.', max_length=1000, validators=[accounts.validators.validate_image_url], verbose_name='address')),
                ('alt_text', models.CharField(blank=True, default='', help_text='What the picture shows.', max_length=255, verbose_name='alternative text')),
                ('position', models.SmallIntegerField(default=0)),
                ('file', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='accounts.storedfile')),
                ('part', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='images', to='inventory.part')),
            ],
            options={
                'verbose_name': 'picture',
                'ordering': ['position', 'id'],
                'abstract': False,
                'indexes': [models.Index(fields=['part', 'position'], name='part_image_position')],
            },
        ),
        migrations.CreateModel(
            name='SellerCategory',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_primary', models.BooleanField(default=False, verbose_name='primary')),
                ('category', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='seller_categories', to='inventory.category')),
                ('seller', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='seller_categories', to='accounts.seller')),
            ],
            options={
                'verbose_name_plural': 'seller categories',
                'ordering': ['seller', '-is_primary', 'category'],
                'constraints': [models.UniqueConstraint(fields=('seller', 'category'), name='sellercategory_seller_category_unique', violation_error_message='The seller has this category already.'), models.UniqueConstraint(condition=models.Q(('is_primary', True)), fields=('seller',), name='sellercategory_one_primary', violation_error_message='The seller has another primary category already.')],
                'indexes': [models.Index(fields=['is_primary', 'id'], name='seller_category_primary')],
            },
        ),
    ]
